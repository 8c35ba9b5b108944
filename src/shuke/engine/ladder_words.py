"""The rules of a ladder as people read them: what raises a member, what keeps her, and what follows if it does not."""

from __future__ import annotations

from collections.abc import Iterator

from shuke.engine.sentences import Locale, Writer, writer
from shuke.program.conditions import show
from shuke.program.document import Program
from shuke.program.tiers import Ladder, TermEnd, Tier, TierTerm


def ladder_in_words(ladder: Ladder, program: Program, locale: Locale) -> list[str]:
    """One sentence for every rule of the ladder as a whole."""
    return list(_ladder(ladder, writer(program, locale)))


def tier_in_words(tier: Tier, ladder: Ladder, program: Program, locale: Locale) -> list[str]:
    """How the tier is reached and kept, and for how long."""
    return list(_tier(tier, ladder, writer(program, locale)))


def _ladder(ladder: Ladder, words: Writer) -> Iterator[str]:
    if ladder.invitation_only:
        yield words.part("ladder.by_invitation")
    else:
        yield words.part("ladder.base", tier=words.name(ladder.tiers, ladder.tiers[0].id))
    yield words.part(f"ladder.upgrade.{ladder.upgrade}")
    if all(_term_of(tier, ladder) == "lifetime" for tier in ladder.tiers):
        return
    yield words.part(f"ladder.requalify.{ladder.requalify}")
    yield words.part(f"ladder.on_drop.{ladder.on_drop}")
    if ladder.restart_when is not None:
        yield words.part("ladder.restart", criteria=show(ladder.restart_when))
    if ladder.grace_days:
        yield words.part("ladder.grace", days=words.period(f"{ladder.grace_days} days"))
    if ladder.cooldown is not None:
        yield words.part("ladder.cooldown", period=words.period(ladder.cooldown))
    if ladder.void_assets:
        yield words.part("ladder.void", assets=words.part("list").join(words.asset(id_) for id_ in ladder.void_assets))
    yield words.part(f"ladder.on_refund.{ladder.on_refund}")
    if ladder.notice_days:
        days = sorted(set(ladder.notice_days), reverse=True)
        yield words.part("ladder.notices", days=words.part("list").join(str(day) for day in days))


def _tier(tier: Tier, ladder: Ladder, words: Writer) -> Iterator[str]:
    first = tier.id == ladder.tiers[0].id and not ladder.invitation_only
    if tier.entry is not None:
        yield words.part("tier.entry", criteria=show(tier.entry))
    elif not first:
        yield words.part("tier.granted")
    keep = tier.keep or tier.entry
    term = _term_of(tier, ladder)
    if keep is not None and term != "lifetime":
        yield words.part("tier.keep", criteria=show(keep))
    yield _term(term, words)


def _term_of(tier: Tier, ladder: Ladder) -> TierTerm:
    """How long the tier lasts. The first one does not end by itself, unless it says so."""
    if tier.term is not None:
        return tier.term
    first = tier.id == ladder.tiers[0].id and not ladder.invitation_only
    return "lifetime" if first else ladder.term


def _term(term: TierTerm, words: Writer) -> str:
    if isinstance(term, TermEnd):
        years = words.period(f"{term.years_later} years") if term.years_later else None
        return words.part(f"tier.end_of.{term.to_end_of}", years=years)
    return words.part("tier.lifetime") if term == "lifetime" else words.part("tier.lasts", period=words.period(term))
