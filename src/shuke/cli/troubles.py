"""What went wrong, said so that one can go on: what happened, what was not lost, what to do."""

from __future__ import annotations

from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from rich.text import Text

from shuke.cli.terminal import FOUND, UNUSABLE, err


class Trouble(Exception):
    """An end that is the user's to mend. ``kept`` says what is as it was, ``todo`` what to do next."""

    def __init__(self, what: str, *, kept: str, todo: str, status: int = UNUSABLE) -> None:
        super().__init__(what)
        self.what, self.kept, self.todo, self.status = what, kept, todo, status


NOTHING_CHANGED = "Nothing was changed."
_SAFE = "What was settled is safe: nothing is answered before it is durable."


def show(trouble: Trouble) -> None:
    """Print the trouble on standard error."""
    console = err()
    console.print(Text.assemble(("Error  ", "bold red"), trouble.what))
    for line in (trouble.kept, trouble.todo):
        if line:
            console.print(Text(f"       {line}"))


def trouble_of(error: BaseException) -> Trouble | None:
    """What to tell people about an error of the floors below; None for a bug.

    The floors are imported here because an error of theirs means that they are loaded already.
    """
    import psycopg
    from psycopg_pool import PoolTimeout
    from sqlalchemy.exc import DBAPIError

    from shuke.books.away import BooksAway
    from shuke.books.server import ServerFailed
    from shuke.replay.history import BadRow, HistoryError
    from shuke.runtime.settings import WrongSettings
    from shuke.runtime.settle import NotPublished

    if isinstance(error, DBAPIError) and error.orig is not None:
        error = error.orig  # migrations run through SQLAlchemy, which wraps what psycopg says
    said = str(error).strip()
    match error:
        case Trouble():
            return error
        case WrongSettings():
            return Trouble(_sentence(said), kept=NOTHING_CHANGED, todo="Set the variable again, or unset it.")
        case ServerFailed():
            todo = "Mend that and run the same command again, or set SHUKE_DATABASE_URL to another PostgreSQL."
            return Trouble(_sentence(said), kept="The data is where it was.", todo=todo)
        case NotPublished():
            todo = "Publish one: shuke publish PROGRAM"
            return Trouble("No program is published yet.", kept=NOTHING_CHANGED, todo=todo)
        case BadRow():
            todo = "Mend the row, or leave out --strict: bad rows then go to the file of rejected rows."
            return Trouble(_sentence(said), kept="Nothing was settled.", todo=todo, status=FOUND)
        case HistoryError():
            todo = "Mend the file and run the same command again; docs/reference/ describes the format."
            return Trouble(_sentence(said), kept=NOTHING_CHANGED, todo=todo)
        case BooksAway():
            todo = "When that is over, run the same command again: it goes on where it stopped."
            return Trouble(f"The books cannot be written: {_sentence(said)}", kept=_SAFE, todo=todo)
        case PoolTimeout() | psycopg.OperationalError() | psycopg.InterfaceError():
            todo = "When it answers again, run the same command again: it goes on where it stopped."
            return Trouble(f"The database does not answer: {_first_line(said)}", kept=_SAFE, todo=todo)
        case psycopg.errors.InsufficientPrivilege():
            todo = "Let the user of SHUKE_DATABASE_URL make schemas and tables."
            return Trouble(f"The database refuses: {_first_line(said)}", kept=NOTHING_CHANGED, todo=todo)
        case BrokenProcessPool():
            todo = "Run the same command again, perhaps with --jobs 1: it goes on where it stopped."
            return Trouble("A working process was ended from outside (memory?).", kept=_SAFE, todo=todo)
        case OSError() if error.filename is not None:
            what = f"{error.filename}: {error.strerror or said}"
            return Trouble(_sentence(what), kept=NOTHING_CHANGED, todo="Mend that and run the same command again.")
    return None


def read_text(path: Path) -> str:
    """The text of a file the user named. Raises ``Trouble`` where it is not there or no text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as broken:
        what = f"{path} is not UTF-8 text (at byte {broken.start})."
        raise Trouble(what, kept=NOTHING_CHANGED, todo="Save it as UTF-8.") from broken
    except OSError as missing:
        what = f"{path} cannot be read: {missing.strerror}."
        raise Trouble(what, kept=NOTHING_CHANGED, todo="Look at the path.") from missing


def _sentence(said: str) -> str:
    return said if said.endswith((".", "?", "!")) else f"{said}."


def _first_line(said: str) -> str:
    return _sentence(said.splitlines()[0] if said else "it closed the connection")
