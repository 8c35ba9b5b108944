"""Why the books cannot be reached or written, told apart from what a statement or the data in it did.

psycopg derives the classes of its errors from the first two characters of the SQLSTATE (``psycopg.errors``; the codes
are in appendix A of PostgreSQL's manual). ``OperationalError`` is therefore a server that starts again as well as a
disk that is full, and a server that only reads is an ``InternalError``. An error without a SQLSTATE was made on this
side: the connection broke, or could not be had.
"""

from __future__ import annotations

from collections.abc import Iterable

import psycopg
from msgspec import Struct
from psycopg.errors import ProgramLimitExceeded, StatementTooComplex


class Cause(Struct, frozen=True):
    """``name`` is for the log. ``passing``: trying again at once may help."""

    name: str
    passing: bool


CAUSES: dict[str, Cause] = {
    "08": Cause("connection_lost", True),
    "25006": Cause("read_only", False),  # a standby, or one that a standby has replaced
    "25P03": Cause("connection_lost", True),  # cut off because it was idle for too long,
    "25P04": Cause("connection_lost", True),  # or its transaction took too long
    "40": Cause("collision", True),  # with another transaction
    "53": Cause("out_of_resources", False),
    "53100": Cause("disk_full", False),
    "53200": Cause("out_of_memory", False),
    "53300": Cause("too_many_connections", True),
    "55": Cause("not_ready", False),
    "55P03": Cause("locked", True),
    "57": Cause("stopped_by_operator", False),
    "57014": Cause("took_too_long", False),  # or somebody cancelled it; tried again, it would take as long
    "57P01": Cause("restarting", True),
    "57P02": Cause("restarting", True),
    "57P03": Cause("restarting", True),
    "57P05": Cause("connection_lost", True),
    "58": Cause("system_error", False),  # reading or writing a file failed
}
"""By SQLSTATE, or by its class where all of one class are alike. What is not here is nobody's but ours."""

_NO_CONNECTION = Cause("connection_lost", True)

TOO_MUCH = (ProgramLimitExceeded, StatementTooComplex)
"""Operational errors that are the data's fault: more than an index or the stack can hold."""


class BooksAway(psycopg.OperationalError):
    """The books could not be reached or written in time; ``why`` names the cause.

    What was asked for may have been settled or not. Asked again it gets its first answer, or is settled then.
    """

    def __init__(self, why: str, *, sqlstate: str | None = None) -> None:
        super().__init__(why.replace("_", " "))
        self.why = why
        self.sqlstate = sqlstate


class Held(BooksAway):
    """Somebody else holds what these ``positions`` of a batch need. Nothing of the batch was settled; without them
    it can be."""

    def __init__(self, positions: Iterable[int]) -> None:
        super().__init__("locked", sqlstate="55P03")
        self.positions = frozenset(positions)


def cause_of(error: psycopg.Error) -> Cause | None:
    """Why the books are away; None where a statement or its data failed and the books are there."""
    state = error.sqlstate
    if state is None:
        return _NO_CONNECTION if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) else None
    return CAUSES.get(state) or CAUSES.get(state[:2])
