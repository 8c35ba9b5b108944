"""Whose activities are that bring identities in the place of a member: found in the transaction that settles them.

Two requests that bring the same new phone at the same time both find nobody. The first to write has the phone; the
other's row is refused by the index, its transaction is undone and tried again, and then finds the first.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace
from uuid_utils import uuid7

from shuke.books import identity
from shuke.books.load import Connection
from shuke.engine.activity import Activity
from shuke.engine.compiled import Editions
from shuke.engine.resolution import Owner, brought_by, resolve
from shuke.values.ids import typed_id


async def resolved(connection: Connection, editions: Editions, activities: Sequence[Activity]) -> Sequence[Activity]:
    """The same activities, each with its member, what she learns, and how she was found."""
    names = {(name.kind, name.value) for activity in activities if activity.brought for name in activity.brought.names}
    if not names:
        return activities
    owners = await identity.owners_of(connection, names)
    return [_resolved(editions, activity, owners) for activity in activities]


def _resolved(editions: Editions, activity: Activity, owners: dict[tuple[str, str], list[Owner]]) -> Activity:
    brought = activity.brought
    if brought is None:
        return activity
    terms = editions.at(activity.occurred_at).identities
    found = resolve(brought.names, owners=owners, terms=terms, member_id=activity.member_id or None)
    member_id = found.member_id or typed_id("mbr", uuid7().bytes)
    for name in found.learn:  # who comes later in the batch finds her by it
        known = owners.setdefault((name.kind, name.value), [])
        if not any(owner.member_id == member_id for owner in known):
            known.append(Owner(member_id, name.shown))
    return replace(activity, member_id=member_id, brought=brought_by(found))
