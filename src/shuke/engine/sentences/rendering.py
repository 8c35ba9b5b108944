"""Putting values into sentences: optional parts, blanks between scripts, amounts with their units."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from shuke.engine.sentences import en, zh_hans, zh_hant
from shuke.program.assets import Asset, AssetKind
from shuke.program.chapter import Text
from shuke.program.document import Program
from shuke.program.sentences import Locale, language_of
from shuke.program.sentences.filling import fill
from shuke.values.amounts import format_amount
from shuke.values.instants import NEVER, Instant, calendar_of, format_day
from shuke.values.periods import Period


def told(text: Text | None, locale: Locale) -> str | None:
    """A merchant's own text in the language, else in English, else in whichever there is."""
    if text is None or isinstance(text, str):
        return text
    for wanted in (locale, "en"):
        for key, value in text.items():
            if key == wanted or (language_of(key) == wanted and key.startswith(("en", "zh"))):
                return value
    return next(iter(text.values()), None)


# -- Values as they are read ------------------------------------------------------------------------------


class Writer:
    """Writes sentences about one program in one language."""

    def __init__(self, program: Program, locale: Locale) -> None:
        self.program, self.locale = program, locale
        self.words = _LANGUAGES[locale]
        self._calendar = calendar_of(program.zone)
        self._assets = {asset.id: asset for asset in program.assets}

    def entry(self, key: str, **values: str | None) -> str:
        return fill(self.words.ENTRIES[key], values)

    def refusal(self, code: str, values: Mapping[str, str | None]) -> str:
        return fill(self.words.REFUSALS[code], values)

    def part(self, key: str, **values: str | None) -> str:
        return fill(self.words.PARTS[key], values)

    def asset(self, asset_id: str) -> str:
        """The asset's name; its id where it has none."""
        return self.name(self.program.assets, asset_id)

    def named(self, thing: str, chapters: Iterable[Any], id_: str | None) -> str:
        """What a chapter of a list is called ("rule Gold pace"): by its title, else by its id."""
        return self.part(thing, name=self.name(chapters, id_))

    def name(self, chapters: Iterable[Any], id_: str | None) -> str:
        """The title of the chapter with this id; the id where it has none, or is not in the list."""
        title = next((chapter.title for chapter in chapters if chapter.id == id_), None)
        return told(title, self.locale) or id_ or "-"

    def limit(self, key: str) -> str:
        """What the limit with this key is called: "the limit per day" for the rule's "base/day"."""
        if key.startswith("earning/"):
            return self.part("limit.total")
        return self.part(f"limit.{key.removesuffix('/times').rpartition('/')[2]}")

    def number(self, asset_id: str, amount: int) -> str:
        """An amount of the asset's smallest units as a number: "1,234.5"."""
        asset = self._assets.get(asset_id)
        return format_amount(amount, scale=asset.scale if asset else 0, group=True)

    def quantity(self, asset_id: str, amount: int) -> str:
        """An amount of the asset's smallest units with its unit: "123 points"."""
        return self._counted(asset_id, self.number(asset_id, amount))

    def whole(self, asset_id: str, number: Decimal) -> str:
        """A number of whole units, as a program writes it, with the unit: "0.5 points"."""
        return self._counted(asset_id, plain(number))

    def _counted(self, asset_id: str, number: str) -> str:
        asset = self._assets.get(asset_id)
        if asset is None:
            return f"{number} {asset_id}"
        unit = told(asset.unit, self.locale)
        if unit is None and asset.kind in (AssetKind.PRINCIPAL, AssetKind.BONUS):
            return self.part(asset.kind.value, number=number)
        return self.part("counted", number=number, unit=self._unit(asset, unit, number))

    def _unit(self, asset: Asset, unit: str | None, number: str) -> str:
        """The unit as it goes with the number. English units may be written as one or many: point, points."""
        word = unit or told(asset.title, self.locale) or asset.id
        if self.locale != "en" or not re.fullmatch(r"[a-z]{3,}", word):
            return word
        one = word.removesuffix("s") if not word.endswith("ss") else word
        return one if number == "1" else word if word.endswith("s") else f"{word}s"

    def money(self, amount: int) -> str:
        """Minor units of the program's currency: "12,345.00"."""
        return format_amount(amount, scale=self.program.scale, group=True)

    def price(self, number: Decimal) -> str:
        """Currency units as a program writes them, with the currency's decimals: "100.00"."""
        decimals = max(self.program.scale, -_exponent(number.normalize()))
        return f"{number:,.{decimals}f}"

    def period(self, text: str) -> str:
        """A length of time: "1 month", "12 months"."""
        period = Period.parse(text)
        told = self.part(f"period.{period.unit.value}", count=str(period.count))
        return told.removesuffix("s") if self.locale == "en" and period.count == 1 else told

    def date(self, instant: Instant) -> str:
        """The date in the program's zone."""
        return self.part("never") if instant >= NEVER else format_day(self._calendar.day(instant))

    def last_day(self, end: Instant) -> str:
        """The last date, in the program's zone, of something that ends at ``end``."""
        return self.part("never") if end >= NEVER else format_day(self._calendar.day(end - 1))

    def moment(self, instant: Instant) -> str:
        """Date and time to the minute, in the program's zone."""
        return self._calendar.format(instant)[:16].replace("T", " ")


def plain(number: Decimal) -> str:
    """An exact number without needless zeros, with separators: "1,200", "0.5"."""
    return f"{number.normalize():,f}"


def _exponent(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int), "the numbers of a program are finite"
    return exponent


class _Language(NamedTuple):
    ENTRIES: dict[str, str]
    REFUSALS: dict[str, str]
    PARTS: dict[str, str]


_LANGUAGES: Final[dict[Locale, _Language]] = {
    "en": _Language(en.ENTRIES, en.REFUSALS, en.PARTS),
    "zh-Hant": _Language(zh_hant.ENTRIES, zh_hant.REFUSALS, zh_hant.PARTS),
    "zh-Hans": _Language(zh_hans.ENTRIES, zh_hans.REFUSALS, zh_hans.PARTS),
}


def writer(program: Program, locale: Locale) -> Writer:
    """A writer for the program and language."""
    return Writer(program, locale)
