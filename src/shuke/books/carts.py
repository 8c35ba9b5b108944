"""What a quote reads: the member as she is, shared quotas, coupon codes. One statement, no locks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString

from msgspec import Struct

from shuke.books import codes
from shuke.books.load import REVISION, Connection
from shuke.engine.member import Member, unpack
from shuke.engine.turn import Code
from shuke.values.ids import bucket_of

# One statement is one round trip and one snapshot: what it sees belongs together.
SEE: LiteralString = f"""
    select (select coalesce(max(version), 0) from program_version), {REVISION},
        (select state from member where bucket = %b::int2 and member_id = %b),
        (select json_object_agg(quota, used) from quota where period = '' and quota = any(%b::text[])),
        (select json_object_agg(code, json_build_array(template, state)) from ({codes.SEEN}) as known)
"""


class Seen(Struct):
    """``version`` is the latest published one (0: none), ``catalog`` the revision of the catalog, ``member`` None
    where nobody is known by the id; what is ``taken`` of quotas and the unique ``codes``, as far as there are any."""

    version: int
    catalog: int
    member: Member | None
    taken: dict[str, int]
    codes: dict[str, Code]


async def see(connection: Connection, member_id: str, *, quotas: Sequence[str], asked: Sequence[str]) -> Seen:
    """What there is to see of a member, quotas and the codes ``asked`` for at this moment."""
    wanted = list(asked)
    arguments = (bucket_of(member_id), member_id, list(quotas), wanted, wanted)
    cursor = await connection.cursor(binary=True).execute(SEE, arguments, prepare=True)
    row = await cursor.fetchone()
    assert row is not None  # a select without a table has one row
    version, catalog, state, taken, opened = row
    known = {code: Code(*found) for code, found in (opened or {}).items()}
    return Seen(version, catalog, unpack(state) if state else None, taken or {}, known)
