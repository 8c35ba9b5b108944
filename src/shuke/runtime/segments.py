"""Keeping segments: who is in them now, and an activity for each who comes in or goes out.

A live segment asks about a member again as soon as something happened to her, and is looked at as a whole every hour,
because days pass by themselves. Any other is looked at as a whole every hour or every day, after midnight.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import structlog

from shuke.books import connect, segments
from shuke.books.audiences import Audience, problems
from shuke.books.members import Place
from shuke.books.segments import Change, Refresh, Segment
from shuke.engine.activity import Activity
from shuke.engine.compiled import Editions
from shuke.program.conditions import InSegment, Node, parse, walk
from shuke.program.problems import Problem, problem
from shuke.program.sentences import Phrase
from shuke.runtime.clock import now
from shuke.runtime.settle import Pool, Settler
from shuke.runtime.work import Round
from shuke.values.instants import HOUR, SECOND, Instant, LocalCalendar

log = structlog.get_logger()

ENTERED: Final = "segment.entered"
LEFT: Final = "segment.left"

_LOOK_EVERY = 5.0
_PAGE = 1_000
_AT_ONCE = 500
_HEARS = 10_000
_LATEST = 15 * SECOND  # activities take their numbers in an order in which they need not become visible


def named(tree: Node) -> set[str]:
    """The segments a condition asks for."""
    return {node.segment for _, node in walk(tree) if isinstance(node, InSegment)}


def due_next(refresh: Refresh, calendar: LocalCalendar, at: Instant) -> Instant:
    """When a segment is looked at as a whole after ``at``: in an hour, or after the next midnight of the program."""
    midnight = calendar.day_start(calendar.day(at) + 1)
    return midnight if refresh == "daily" else min(at + HOUR, midnight)


def wrong(tree: Node, editions: Editions, *, refresh: Refresh, at: Instant) -> list[Problem]:
    """What keeps a condition from being a segment's, errors only."""
    found = [one for one in problems(tree, editions.at(at)) if one.severity == "error"]
    if not found and refresh == "live" and Audience(tree, editions, at=at).is_heavy:
        found.append(problem("", "too_heavy_for_live", Phrase("hint.hourly")))
    return found


def no_segment(segment_id: str) -> Problem:
    """What is wrong with a condition that asks for a segment that is not there."""
    return problem("", "unknown_segment", name=segment_id)


class Segments:
    """The worker. ``heard`` are activities that live segments have heard of, but not all before them."""

    def __init__(self, pool: Pool, settler: Settler) -> None:
        self.pool, self.settler = pool, settler
        self.heard: set[int] = set()

    async def round(self) -> float:
        """Ask live segments about whoever something happened to, and look at what is due."""
        at = now()
        async with connect.reading(self.pool) as connection:
            editions = await self.settler.editions(connection)
        await self.hear(editions, at)
        while (segment := await self._due(at)) is not None:
            await self.refresh(segment, editions, at=at)
        return _LOOK_EVERY

    async def _due(self, at: Instant) -> Segment | None:
        async with self.pool.connection() as connection:
            return await segments.take_due(connection, now=at)

    async def refresh(self, segment: Segment, editions: Editions, *, at: Instant) -> None:
        """Look at all members, and tell who came in and went out."""
        await self.tell(segment)
        if segment.condition is not None and segment.refresh is not None:
            tree = parse(segment.condition)
            if found := wrong(tree, editions, refresh=segment.refresh, at=at):
                log.warning("segment.not_sound", segment=segment.id, why=found[0].code)
                return
            audience = Audience(tree, editions, at=at)
            place: Place | None = Place()
            while place is not None:
                behind = place
                async with connect.reading(self.pool) as connection:
                    page, place = await audience.page(connection, behind=behind, limit=_PAGE)
                async with self.pool.connection() as connection:
                    ids = [member.id for member in page]
                    await segments.sweep(connection, segment.id, ids, behind=behind, end=place, at=at)
                await self.tell(segment)
        due_at = None if segment.refresh is None else due_next(segment.refresh, editions.at(at).calendar, at)
        async with self.pool.connection() as connection:
            await segments.measure(connection, segment.id, at=at, due_at=due_at)

    async def tell(self, segment: Segment) -> None:
        """Settle an activity for everybody whose coming or going is not told yet."""
        while True:
            async with connect.reading(self.pool) as connection:
                changes = await segments.untold(connection, segment.id, most=_AT_ONCE)
            if not changes:
                return
            answers = await self.settler.settle([_activity(segment, change) for change in changes])
            done = [change for change, answer in zip(changes, answers, strict=True) if answer.status != "failed"]
            async with self.pool.connection() as connection:
                await segments.mark_told(connection, segment.id, done)
            if len(done) < len(changes):
                log.warning("segment.not_told", segment=segment.id, members=len(changes) - len(done))
                return

    async def hear(self, editions: Editions, at: Instant) -> None:
        """Ask live segments about the members to whom something happened since."""
        async with self.pool.connection() as connection:
            live = await segments.live(connection)
            behind = await segments.heard(connection)
        sound = list(_sound(live, editions, at))
        while True:
            async with connect.reading(self.pool) as connection:
                happened = await segments.happened(connection, behind=behind, most=_HEARS)
            members = sorted({member for number, member, _ in happened if number not in self.heard})
            for segment, audience in sound:
                for start in range(0, len(members), _AT_ONCE):
                    await self._ask(segment, audience, members[start : start + _AT_ONCE], at)
            open_ = next((place for place, (_, _, when) in enumerate(happened) if when > at - _LATEST), len(happened))
            self.heard = {number for number, _, _ in happened[open_:]}
            if open_:
                behind = happened[open_ - 1][0]
                async with self.pool.connection() as connection:
                    await segments.hear(connection, behind)
            if len(happened) < _HEARS or open_ < len(happened):
                return

    async def _ask(self, segment: Segment, audience: Audience, members: Sequence[str], at: Instant) -> None:
        async with connect.reading(self.pool) as connection:
            inside = set(await audience.among(connection, members))
        async with self.pool.connection() as connection:
            await segments.enter(connection, segment.id, sorted(inside), at=at)
            await segments.leave(connection, segment.id, [one for one in members if one not in inside], at=at)
        await self.tell(segment)


def _sound(live: list[Segment], editions: Editions, at: Instant) -> Iterator[tuple[Segment, Audience]]:
    for segment in live:
        tree = parse(segment.condition or "false")
        if not wrong(tree, editions, refresh="live", at=at):
            yield segment, Audience(tree, editions, at=at)


def _activity(segment: Segment, change: Change) -> Activity:
    type_ = ENTERED if change.inside else LEFT
    key = f"{segment.id}/{segment.made_at}/{change.member_id}/{change.changes}"
    return Activity(type_, change.member_id, change.since, "segments", key, {"segment": segment.id})


def rounds(pool: Pool, settler: Settler) -> Round:
    """Keeps segments, over and over."""
    return Segments(pool, settler).round
