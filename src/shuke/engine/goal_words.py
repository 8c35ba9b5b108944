"""What is missing for a tier, in one sentence of the reader's language."""

from __future__ import annotations

from decimal import Decimal

from shuke.engine.progress import Goal, Missing
from shuke.engine.sentences import Writer, told
from shuke.values.instants import format_day


def to_rise(goal: Goal, ladder_id: str, words: Writer) -> str:
    """What raises a member: "To reach Gold: spend(12 months): 400 more by 2027-04-20"."""
    return words.part("goal.rise", tier=tier_name(words, ladder_id, goal.tier), what=_what(goal, words))


def to_keep(goal: Goal, ladder_id: str, words: Writer) -> str:
    """What keeps a member where she is when her term ends."""
    day = words.part("never") if goal.by is None else format_day(goal.by)
    return words.part("goal.keep", tier=tier_name(words, ladder_id, goal.tier), day=day, what=_what(goal, words))


def missing_words(missing: Missing, words: Writer) -> str:
    """One thing that is missing; the comparison itself where no number is."""
    if missing.missing is None:
        return missing.text
    day = None if missing.by is None else format_day(missing.by)
    said = words.part("goal.more", of=missing.of, missing=f"{missing.missing:,f}", day=day)
    if missing.today is None:
        return said
    return said + words.part("goal.falls_out", today=f"{Decimal(missing.today):,f}", then=f"{Decimal(missing.have):,f}")


def ladder_name(words: Writer, ladder_id: str) -> str:
    """What people call the ladder; its id where it has no title."""
    return words.name(words.program.ladders, ladder_id)


def tier_name(words: Writer, ladder_id: str, tier_id: str) -> str:
    """What people call the tier; its id where it has no title, or the program no such tier any more."""
    tiers = [tier for ladder in words.program.ladders if ladder.id == ladder_id for tier in ladder.tiers]
    title = next((tier.title for tier in tiers if tier.id == tier_id), None)
    return told(title, words.locale) or tier_id


def _what(goal: Goal, words: Writer) -> str:
    """Alternatives, each with all that it takes."""
    if goal.met:
        return words.part("goal.met")
    ways = [words.part("goal.and").join(missing_words(missing, words) for missing in way) for way in goal.ways]
    return words.part("goal.or").join(ways)
