"""A member's statement: what she has and where she stands, drawn for people or as data for machines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from rich.text import Text

from shuke.books.statements import Line
from shuke.cli.terminal import facts, out, table, title
from shuke.cli.words import word, word_for
from shuke.engine.causes import program_of, sentence_of
from shuke.engine.compiled import Editions
from shuke.engine.effects import AVAILABLE, Entry, change_of
from shuke.engine.goal_words import ladder_name, tier_name, to_keep, to_rise
from shuke.engine.member import Lot, Member, Purse
from shuke.engine.progress import Goal, LadderProgress, Missing, progress
from shuke.engine.sentences import Locale, Writer, told, writer
from shuke.program.document import Program
from shuke.values.amounts import format_amount
from shuke.values.instants import NEVER, Instant, format_day, format_instant


@dataclass(frozen=True)
class Statement:
    """A member as last settled, her last entries (the latest first), and the programs they refer to."""

    member: Member
    lines: list[Line]
    editions: Editions
    asked_at: Instant  # now: what is due before it is late

    @property
    def program(self) -> Program:
        """The program in force at the member's own time."""
        return self.editions.at(self.member.now).document

    @property
    def is_late(self) -> bool:
        """Whether something was due that is not settled yet."""
        return self.member.due_at <= self.asked_at


# -- For people -------------------------------------------------------------------------------------------


def draw(statement: Statement, locale: Locale) -> None:
    """Print the statement."""
    member, words = statement.member, writer(statement.program, locale)
    out().print(Text(member.id, style="bold"))
    facts(list(_person(statement, words)))
    if statement.is_late:
        late = word("late", locale, instant=words.moment(member.due_at))
        out().print(Text(late, style="yellow"))
    _draw_tiers(statement, words)
    _draw_purses(member, words)
    _draw_coupons(member, words)
    _draw_entries(statement, words)


def _person(statement: Statement, words: Writer) -> Iterable[tuple[str, str]]:
    member, locale = statement.member, words.locale
    yield word("joined", locale), words.date(member.joined_at)
    yield word("status", locale), word_for(member.status, locale)
    if member.traits:
        yield word("traits", locale), ", ".join(f"{name} {value}" for name, value in sorted(member.traits.items()))
    if member.tags:
        yield word("tags", locale), ", ".join(member.tags)
    yield word("as_of", locale), words.moment(member.now)
    if member.due_at < NEVER and not statement.is_late:
        yield word("next", locale), words.moment(member.due_at)


def _draw_tiers(statement: Statement, words: Writer) -> None:
    locale = words.locale
    found = progress(statement.editions, statement.member, statement.member.now)
    if not found:
        return
    title(word("tiers", locale))
    rows = []
    for ladder in found:
        until = "" if ladder.tier is None else _day(ladder.last_day, locale)
        source = "" if ladder.tier is None else word_for(ladder.source, locale)
        tier = word("none", locale) if ladder.tier is None else tier_name(words, ladder.ladder, ladder.tier)
        rows.append((ladder_name(words, ladder.ladder), tier, until, source))
    columns = ("ladder", "tier", "expires", "source")
    table([(word(column, locale), "left") for column in columns], rows, fixed=(2,))
    for ladder in found:
        for said, goal in ((to_keep, ladder.keep), (to_rise, ladder.next)):
            if goal is not None:
                out().print(Text(said(goal, ladder.ladder, words)))


def _draw_purses(member: Member, words: Writer) -> None:
    locale = words.locale
    if not member.purses:
        return
    title(word("balances", locale))
    columns = ("available", "pending", "held", "owed")
    rows = [
        (
            words.asset(asset),
            *(words.number(asset, part) for part in (purse.available, purse.pending, purse.held, purse.debt)),
        )
        for asset, purse in member.purses.items()
    ]
    table([(word("asset", locale), "left"), *((word(column, locale), "right") for column in columns)], rows)
    lots = [(asset, lot) for asset, purse in member.purses.items() for lot in _lots(purse)]
    if not lots:
        return
    title(word("lots", locale))
    table(
        [
            (word("asset", locale), "left"),
            (word("lot", locale), "right"),
            (word("amount", locale), "right"),
            (word("opened", locale), "left"),
            (word("ripens", locale), "left"),
            (word("expires", locale), "left"),
        ],
        [
            (
                words.asset(asset),
                str(lot.no),
                words.number(asset, lot.amount),
                words.date(lot.opened_at),
                words.date(lot.ripens_at) if lot.ripens_at else "",
                _last(words, lot.expires_at),
            )
            for asset, lot in lots
        ],
    )


def _lots(purse: Purse) -> list[Lot]:
    return [*purse.lots, *purse.ripening]


def _draw_coupons(member: Member, words: Writer) -> None:
    locale = words.locale
    if not member.coupons:
        return
    title(word("coupons", locale))
    columns = ("coupon", "state", "expires", "code")
    table(
        [(word(column, locale), "left") for column in columns],
        [
            (
                _coupon_name(words, coupon.template),
                word_for(coupon.state, locale),
                _last(words, coupon.valid_until),
                coupon.code or "",
            )
            for coupon in sorted(member.coupons.values(), key=lambda coupon: (coupon.valid_until, coupon.id))
        ],
        fixed=(2,),
    )


def _draw_entries(statement: Statement, words: Writer) -> None:
    if not statement.lines:
        return
    locale = words.locale
    title(word("entries", locale))
    table(
        [
            (word("when", locale), "left"),
            (word("amount", locale), "right"),
            (word("why", locale), "left"),
            (word("entry", locale), "left"),
        ],
        [
            (
                words.moment(line.entry.occurred_at),
                signed(line.entry, words),
                sentence_of(line.entry, statement.editions, locale),
                line.id,
            )
            for line in statement.lines
        ],
        fixed=(0, 3),
    )


def signed(entry: Entry, words: Writer) -> str:
    """What the entry did to what the member can spend: "+12"; in brackets what it did beside that."""
    number = words.number(entry.asset, entry.amount)
    if entry.credit == AVAILABLE:
        return f"+{number}"
    if entry.debit == AVAILABLE:
        return f"-{number}"
    return f"({'+' if change_of(entry) >= 0 else '-'}{number})"


def _last(words: Writer, end: Instant) -> str:
    return word("no_end", words.locale) if end >= NEVER else words.last_day(end)


def _day(day: int | None, locale: Locale) -> str:
    return word("no_end", locale) if day is None else format_day(day)


def _coupon_name(words: Writer, template_id: str) -> str:
    titles = {template.id: template.title for template in words.program.coupons}
    return told(titles.get(template_id), words.locale) or template_id


# -- For machines -----------------------------------------------------------------------------------------


def as_data(statement: Statement, locale: Locale) -> dict[str, Any]:
    """The statement as JSON data: instants in ISO 8601 in the program's zone, amounts in whole units (exact
    decimals as text where the asset has decimals, else integers)."""
    member, program = statement.member, statement.program
    return {
        "member_id": member.id,
        "status": member.status,
        "joined_at": moment(member.joined_at, program),
        "as_of": moment(member.now, program),
        "due_at": moment(member.due_at, program),
        "traits": member.traits,
        "tags": member.tags,
        "tiers": [_plain(ladder) for ladder in progress(statement.editions, member, member.now)],
        "assets": {asset: _purse(asset, purse, program) for asset, purse in member.purses.items()},
        "coupons": [
            {
                "id": coupon.id,
                "template": coupon.template,
                "state": coupon.state,
                "code": coupon.code,
                "valid_from": moment(coupon.valid_from, program),
                "valid_until": moment(coupon.valid_until, program),
            }
            for coupon in member.coupons.values()
        ],
        "entries": [entry_data(line, statement.editions, locale) for line in statement.lines],
    }


def _purse(asset: str, purse: Purse, program: Program) -> dict[str, Any]:
    parts = ("available", "pending", "held", "debt")
    return {
        **{part: amount(asset, getattr(purse, part), program) for part in parts},
        "lots": [
            {
                "lot": lot.no,
                "amount": amount(asset, lot.amount, program),
                "opened_at": moment(lot.opened_at, program),
                "ripens_at": moment(lot.ripens_at, program) if lot.ripens_at else None,
                "expires_at": moment(lot.expires_at, program),
            }
            for lot in _lots(purse)
        ],
    }


def entry_data(line: Line, editions: Editions, locale: Locale) -> dict[str, Any]:
    """An entry with its sentence. ``amount`` is what it moved, ``change`` what that made of her balance."""
    entry, program = line.entry, program_of(editions, line.entry.version)
    return {
        "id": line.id,
        "occurred_at": moment(entry.occurred_at, program),
        "asset": entry.asset,
        "kind": entry.kind,
        "amount": amount(entry.asset, entry.amount, program),
        "change": amount(entry.asset, change_of(entry), program),
        "debit": entry.debit,
        "credit": entry.credit,
        "lot": entry.lot or None,
        "rule": entry.rule,
        "order_id": entry.order_id,
        "version": entry.version,
        "why": entry.why,
        "sentence": sentence_of(line.entry, editions, locale),
    }


def amount(asset_id: str, units: int, program: Program) -> int | str:
    """An amount as JSON says it: a whole number, or exact decimals as text where the asset has decimals."""
    scale = program.asset(asset_id).scale
    return format_amount(units, scale=scale) if scale else units


def moment(instant: Instant, program: Program) -> str | None:
    """An instant as JSON says it; None for one that never comes."""
    return None if instant >= NEVER else format_instant(instant, zone=program.zone)


def _plain(ladder: LadderProgress) -> dict[str, Any]:
    return {
        "ladder": ladder.ladder,
        "tier": ladder.tier,
        "last_day": None if ladder.last_day is None else format_day(ladder.last_day),
        "source": ladder.source,
        "standing": ladder.standing,
        "next": _plain_goal(ladder.next),
        "keep": _plain_goal(ladder.keep),
    }


def _plain_goal(goal: Goal | None) -> dict[str, Any] | None:
    if goal is None:
        return None
    return {
        "tier": goal.tier,
        "criteria": goal.criteria,
        "met": goal.met,
        "by": None if goal.by is None else format_day(goal.by),
        "ways": [[_plain_missing(missing) for missing in way] for way in goal.ways],
    }


def _plain_missing(missing: Missing) -> dict[str, Any]:
    numbers = {name: getattr(missing, name) for name in ("have", "today", "need", "missing")}
    return {
        "criterion": missing.text,
        **{name: f"{value:f}" if isinstance(value, Decimal) else value for name, value in numbers.items()},
        "by": None if missing.by is None else format_day(missing.by),
    }
