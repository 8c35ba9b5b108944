"""Names that others chose: one form for what looks the same, and nothing in them that nobody sees."""

from unicodedata import category, normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuke.values.names import UNSEEN, NotAName, composed, plain_name


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("m-1001", "m-1001"),
        ("a b", "a b"),
        ("王　小明", "王　小明"),
        ("Jose\u0301", "José"),
        ("\u1112\u1161\u11ab", "한"),
        ("か\u3099", "が"),
        ("\uf90a", "金"),  # a compatibility ideograph that old Korean text has
        ("e\u0323\u0302", "\u1ec7"),
        ("e\u0302\u0323", "\u1ec7"),
        ("ＡＢＣ１", "ＡＢＣ１"),  # another width is another name
    ],
)
def test_what_looks_the_same_is_kept_in_one_form(told, kept):
    assert plain_name(told) == composed(told) == kept


@pytest.mark.parametrize(
    "character",
    ["\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u200e", "\u202e", "\u2066", "\u061c", "\u00a0",
     "\u2007", "\u3164", "\u115f", "\ufe0f", "\U000e0101", "\U000e0041", "\u2800", "\u2028", "\ufffd", "\u034f"],
    ids=lambda character: f"U+{ord(character):04X}",
)  # fmt: skip
def test_what_nobody_sees_is_refused_by_its_number(character):
    with pytest.raises(NotAName) as refused:
        plain_name(f"ann{character}")
    assert (refused.value.code, refused.value.character) == ("unseen_character", f"U+{ord(character):04X}")


@pytest.mark.parametrize("character", ["\x00", "\n", "\x7f", "\x9f", "\ud800"])
def test_control_characters_and_halves_are_refused(character):
    with pytest.raises(NotAName) as refused:
        plain_name(f"a{character}n")
    assert refused.value.code == "control_character"


@given(st.text(max_size=20))
def test_what_is_kept_stays_as_it_is_whichever_way_it_is_told(text):
    try:
        kept = plain_name(text)
    except NotAName:
        return
    assert plain_name(kept) == kept
    assert plain_name(normalize("NFD", text)) == kept


def test_every_character_that_is_refused_is_a_blank_or_is_shown_as_nothing():
    shown = {
        chr(code)
        for first, last in UNSEEN
        for code in range(first, last + 1)
        if category(chr(code)) not in ("Cf", "Cn", "Mn", "Zs", "Zl", "Zp")
    }
    assert shown == {*"\u115f\u1160\u3164\uffa0", "\u2800", "\ufffc", "\ufffd"}
