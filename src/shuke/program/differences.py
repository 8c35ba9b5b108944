"""What changed between two versions of a program, told in three languages, and whether members gain or lose by it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from shuke.program.advantage import Effect, effect_of
from shuke.program.assets import Validity
from shuke.program.chapter import Chapter
from shuke.program.conditions import Compare, Term, show_term, show_value
from shuke.program.discounts import Discount
from shuke.program.document import Program
from shuke.program.earning import Give, Rule, Span
from shuke.program.phrases import fields, give, phrase, rule, text_of
from shuke.program.sentences import Listed, Locale, tell
from shuke.program.sentences.fields import name_of, word_of
from shuke.program.sentences.rendering import changed


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. ``path`` leads into the new document, for what was removed into the old one. What was
    ``before``, what is ``after`` and the ``sentence`` are for people.

    ``effect`` says what the change by itself is for members: a higher rate is better, a higher threshold worse.
    """

    path: str
    chapter: str
    kind: Literal["added", "removed", "changed"]
    before: str | None
    after: str | None
    sentence: str
    effect: Effect


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the comparison stands: the paths in both documents, and what to call it."""

    chapter: str
    old: str
    new: str
    subject: str
    locale: Locale
    is_whole: bool = False  # the program itself: what stands in it needs no further name

    def field(self, name: str) -> _Place:
        chapter = self.chapter or name
        return replace(self, chapter=chapter, old=_dot(self.old, name), new=_dot(self.new, name))

    def item(self, old: int, new: int, subject: str) -> _Place:
        return _Place(self.chapter, f"{self.old}[{old}]", f"{self.new}[{new}]", subject, self.locale)


def _dot(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def diff(old: Program, new: Program, *, locale: Locale = "en") -> list[Change]:
    """Every difference, in the order of the document, told in the language. Things are the same if their id is.

    How a list is ordered means something only for tiers; elsewhere it is no difference.
    """
    return list(_chapters(old, new, _Place("", "", "", changed("Program", locale), locale, is_whole=True)))


_WHOLE: Final = (Give, Validity, Discount, Span)
"""Chapters that are told as one phrase: their fields mean nothing alone."""


def _chapters(old: Chapter, new: Chapter, place: _Place) -> Iterator[Change]:
    for name, field in type(old).model_fields.items():
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            below = place.field(field.alias or name)
            yield from _values(before, after, below, owners=(old, new), name=name)


def _values(before: Any, after: Any, place: _Place, *, owners: tuple[Chapter, Chapter], name: str) -> Iterator[Change]:
    if _have_ids(before, after):
        yield from _lists(before, after, place)
    elif isinstance(before, Chapter) and type(before) is type(after) and not isinstance(before, _WHOLE):
        yield from _chapters(before, after, place)
    else:
        chapter = type(owners[1]).__name__
        effect = effect_of(chapter, name, before, after)
        if effect == "unknown":
            effect = effect_of("", chapter, before, after)  # every field of some chapters is of one kind
        before, after = _differing(before, after, place.locale)
        said = _said(before, owners[0], name, place.locale)
        yield _changed(said, _told(before, after, owners[1], name, place.locale), place, owners[1], name, effect)


def _differing(before: Any, after: Any, locale: Locale) -> tuple[Any, Any]:
    """Of texts in several languages those in which they differ, where that is not the reader's own."""
    if not isinstance(before, dict) or not isinstance(after, dict) or text_of(before, locale) != text_of(after, locale):
        return before, after
    other = next(language for language in {**before, **after} if before.get(language) != after.get(language))
    was, now = ({other: text[other]} if other in text else None for text in (before, after))
    return was, now


def _said(value: Any, owner: Chapter, name: str, locale: Locale) -> str:
    if isinstance(value, Give) and isinstance(owner, Rule):
        return give(value, owner.asset, locale)
    return phrase(value, locale, owner=type(owner), name=name)


def _told(before: Any, after: Any, owner: Chapter, name: str, locale: Locale) -> str:
    """The new value, without what it has in common with the old: "spend(12 months) >= 5000 → >= 6000"."""
    if isinstance(before, Compare) and isinstance(after, Compare) and before.term == after.term:
        value = after.value
        return f"{after.op} {show_term(value) if isinstance(value, Term) else show_value(value)}"
    was = before.per if isinstance(before, Give) else None
    now = after.per if isinstance(after, Give) else None
    if was is not None and now is not None and was.points == now.points:
        return changed("give.per_only", locale, money=now.amount)
    return _said(after, owner, name, locale)


def _changed(before: str, after: str, place: _Place, owner: Chapter, name: str, effect: Effect) -> Change:
    what = None
    if name != "give":
        what = name_of(type(owner).__name__, type(owner).model_fields[name].alias or name, place.locale)
    verdict = _VERDICTS.get(name, {}).get(effect) or (effect if effect in ("better", "worse") else None)
    sentence = changed(
        "changed",
        place.locale,
        subject=place.subject,
        what=what,
        before=before,
        after=after,
        verdict=None if verdict is None else changed(verdict, place.locale),
    )
    return Change(place.new, place.chapter, "changed", before, after, sentence, effect)


_HARD: Final[dict[Effect, str]] = {"better": "easier", "worse": "harder"}
_VERDICTS: Final[dict[str, dict[Effect, str]]] = {
    "entry": _HARD,
    "keep": _HARD,
    "validity": {"better": "longer", "worse": "shorter"},
    "term": {"better": "longer", "worse": "shorter"},
}

# -- Lists of things with ids -----------------------------------------------------------------------------

KEYS: Final = ("id", "sku", "card", "bearer", "kind")
"""What things of a list are told apart by: the first of these that they have."""
_ADDED: Final[dict[str, Effect]] = {
    "measures": "neutral",
    "assets": "neutral",
    "earning": "better",
    "benefits": "better",
    "offers": "better",
    "promotions": "better",
    "members_only": "worse",
    "list": "better",
    "limits": "worse",
    "cost_share": "neutral",
}
_REMOVED: Final[dict[str, Effect]] = {
    "measures": "neutral",
    "assets": "worse",
    "earning": "worse",
    "benefits": "worse",
    "coupons": "worse",
    "offers": "worse",
    "promotions": "worse",
    "members_only": "better",
    "list": "worse",
    "limits": "better",
    "cost_share": "neutral",
}


def _have_ids(before: Any, after: Any) -> bool:
    items = [*before, *after] if isinstance(before, list) and isinstance(after, list) else []
    return bool(items) and all(isinstance(item, Chapter) and _key(item) is not None for item in items)


def _key(item: Chapter) -> str | None:
    return next((str(getattr(item, key)) for key in KEYS if hasattr(item, key)), None)


def _lists(before: list[Chapter], after: list[Chapter], place: _Place) -> Iterator[Change]:
    name = place.new.rpartition(".")[2]
    was = {_key(item): (index, item) for index, item in enumerate(before)}
    now = {_key(item): (index, item) for index, item in enumerate(after)}
    for key, (index, item) in now.items():
        subject = _subject(name, key, place)
        if key not in was:
            said = _summary(item, place.locale)
            sentence = changed("added", place.locale, subject=subject, what=said)
            effect = _ADDED.get(name, "unknown")
            yield Change(f"{place.new}[{index}]", place.chapter, "added", None, said, sentence, effect)
        elif type(was[key][1]) is type(item):
            yield from _chapters(was[key][1], item, place.item(was[key][0], index, subject))
    for key, (index, item) in was.items():
        if key not in now:
            said = _summary(item, place.locale)
            sentence = changed("removed", place.locale, subject=_subject(name, key, place), what=said)
            effect = _REMOVED.get(name, "unknown")
            yield Change(f"{place.old}[{index}]", place.chapter, "removed", said, None, sentence, effect)
    if name == "tiers":
        yield from _order([key for key in was if key in now], [key for key in now if key in was], place)


def _order(before: list[str | None], after: list[str | None], place: _Place) -> Iterator[Change]:
    if before != after:
        was, now = (tell(Listed(tuple(map(str, keys))), place.locale) for keys in (before, after))
        sentence = changed("reordered", place.locale, subject=place.subject, before=was, after=now)
        yield Change(place.new, place.chapter, "changed", was, now, sentence, "unknown")


def _subject(name: str, key: str | None, place: _Place) -> str:
    said = word_of(key, place.locale) if name == "limits" and key is not None else key
    subject = changed(f"subject.{name}", place.locale, id=said)
    if place.is_whole or name == "tiers":
        return subject
    return changed("subject", place.locale, outer=place.subject, inner=subject)


def _summary(item: Chapter, locale: Locale) -> str:
    return rule(item, locale) if isinstance(item, Rule) else fields(item, locale)
