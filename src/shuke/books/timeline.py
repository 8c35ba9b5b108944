"""Everything that happened to a member, in order, each with what came of it. Nothing is locked or changed."""

from __future__ import annotations

from msgspec import Struct

from shuke.books import activities, statements
from shuke.books.activities import Recorded
from shuke.books.load import Connection
from shuke.books.statements import Line, TierChange
from shuke.engine.activity import TIME_PASSED


class Happened(Struct):
    """An activity with the entries it brought about, in their order, and the changes of her tiers."""

    recorded: Recorded
    lines: list[Line]
    tiers: list[TierChange]

    @property
    def is_empty(self) -> bool:
        """Whether only time passed, and nothing came of it that is told here."""
        return self.recorded.activity.type == TIME_PASSED and not self.lines and not self.tiers


async def of_member(
    connection: Connection, member_id: str, *, before: int | None, most: int
) -> tuple[list[Happened], int | None]:
    """What happened, the latest settled first; activities with a ``seq`` below ``before``. And where to go on: None
    where there is no more.

    At most ``most`` activities are looked at; those that are empty are left out, so there may be fewer.
    """
    told = await activities.of_member(connection, member_id, before=before, most=most + 1)
    shown = told[:most]
    if not shown:
        return [], None
    first, last = shown[-1].seq, shown[0].seq
    lines: dict[int, list[Line]] = {}
    for line in await statements.entries_of(connection, member_id, first=first, last=last):
        lines.setdefault(line.seq, []).append(line)
    tiers: dict[int, list[TierChange]] = {}
    for change in await statements.tier_changes_of(connection, member_id, first=first, last=last):
        tiers.setdefault(change.activity_id, []).append(change)
    found = [Happened(one, lines.get(one.seq, []), tiers.get(one.id, [])) for one in shown]
    return [one for one in found if not one.is_empty], shown[-1].seq if len(told) > most else None
