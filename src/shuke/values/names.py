"""Names that somebody else chose (ids of members and orders, keys, what members are called) in the one form in which
they are kept and compared, so that what looks the same is the same.

Unicode writes one text in several ways: é is one character, or an e and an accent. Names are kept composed (NFC), as
RFC 8265 has it for user names; Macs and some phones send them apart. Characters that nobody sees would make two of
one and are refused: copied texts bring them along (zero-width blanks and joiners, marks of direction, byte order
marks, soft hyphens, variation selectors, fillers, blanks other than the ordinary and the ideographic one), and so is
U+FFFD, which stands where somebody lost a character and would make one of two.

Letter case and look-alikes of other scripts are left alone: names are whatever another system says they are.
"""

from __future__ import annotations

import re
from typing import Final
from unicodedata import normalize

NAME_MOST: Final = 200
"""Characters of a name."""

UNSEEN: Final = (
    *((0xA0, 0xA0), (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5)),
    *((0x180B, 0x180F), (0x2000, 0x200F), (0x2028, 0x202F), (0x205F, 0x206F), (0x2800, 0x2800), (0x3164, 0x3164)),
    *((0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFF), (0x1BCA0, 0x1BCA3)),
    *((0x1D173, 0x1D17A), (0xE0000, 0xE0FFF)),
)
"""First and last code points of what is refused beside control characters: Default_Ignorable_Code_Point of Unicode 16
(DerivedCoreProperties.txt), blanks (Zs, Zl, Zp) other than U+0020, U+1680 and U+3000, the empty Braille pattern, and
the specials from U+FFF0 on."""

_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_UNSEEN: Final = re.compile("[" + "".join(f"{chr(first)}-{chr(last)}" for first, last in UNSEEN) + "]")


class NotAName(ValueError):
    """``code``: control_character, unseen_character; ``character`` is the first such one (U+200B). The message says it
    in English."""

    def __init__(self, code: str, message: str, character: str) -> None:
        super().__init__(f"{message}: {character}")
        self.code = code
        self.character = character


def composed(text: str) -> str:
    """The text in NFC."""
    return text if text.isascii() else normalize("NFC", text)


def plain_name(text: str) -> str:
    """The name as it is kept. Raises ``NotAName``.

    Composing can make a few texts longer (up to three times): whoever bounds its length looks at what is returned.
    """
    found = _CONTROL.search(text)
    if found is not None:
        raise NotAName("control_character", "control characters are not allowed", _shown(found[0]))
    if text.isascii():
        return text
    found = _UNSEEN.search(text)
    if found is not None:
        raise NotAName("unseen_character", "characters that nobody sees are not allowed", _shown(found[0]))
    return normalize("NFC", text)


def _shown(character: str) -> str:
    return f"U+{ord(character):04X}"
