"""Log lines: each is an event with fields, on standard error, for people or for machines.

    log = structlog.get_logger()
    log.info("batch.settled", activities=1000, seconds=0.09)

Traces follow a request through settling (OpenTelemetry); they go where the standard variables say
(``OTEL_EXPORTER_OTLP_ENDPOINT``), and cost next to nothing where these say nothing.

An event's name is `thing.happened`. Fields are numbers, our ids and names from programs; nothing personal. What the
database says of an error may quote a name or a number of a telephone, so its words are left out: which error it is, and
of which table and constraint, is told.
"""

from __future__ import annotations

import logging
import sys
from typing import TextIO, TypeGuard

import psycopg
import structlog
from opentelemetry import trace

from shuke.books.away import BooksAway
from shuke.runtime.settings import LogForm

tracer = trace.get_tracer("shuke")

_NAMED = ("table", "column", "constraint")
_OTHERS = ("asyncio", "uvicorn.error")  # which tell of errors that reached nobody


def set_up(log: LogForm, *, stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Make `structlog.get_logger()` write events of `level` and above to `stream` (or standard error).

    Called once, when a process begins. "console" is for eyes (in colour on a terminal), "json" writes one
    object per line with `event`, `level`, `timestamp` (ISO 8601, UTC) and the fields.
    """
    out = sys.stderr if stream is None else stream
    # The driver tells how a pipeline ended that the exception on its way has told already.
    logging.getLogger("psycopg").addFilter(_is_no_echo)
    for name in _OTHERS:
        logging.getLogger(name).addFilter(_says_no_values)
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        _leave_out_values,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    forms: dict[LogForm, list[structlog.typing.Processor]] = {
        "console": [
            structlog.dev.ConsoleRenderer(colors=out.isatty(), exception_formatter=structlog.dev.plain_traceback)
        ],
        "json": [
            # Where it went wrong, never with what: local variables hold keys and people.
            structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    }
    structlog.configure(
        processors=[*shared, *forms[log]],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=out),
        cache_logger_on_first_use=stream is None,
    )


def _leave_out_values(logger: object, method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """What a database error is, as fields beside it; its words, which may be about people, are taken from it."""
    raised = event.get("exc_info")
    if raised is True:
        raised = sys.exc_info()
    error = raised[1] if isinstance(raised, tuple) else raised
    if isinstance(error, BaseException):
        for name, value in _without_values(error).items():
            event.setdefault(name, value)
    return event


def _quotes(error: BaseException) -> TypeGuard[psycopg.Error]:
    """Whether its words may hold values: the server's, and the driver's where it could not make sense of one."""
    if not isinstance(error, psycopg.Error) or isinstance(error, BooksAway):
        return False
    return error.sqlstate is not None or isinstance(error, psycopg.DataError)


def _says_no_values(record: logging.LogRecord) -> bool:
    if record.exc_info and record.exc_info[1] is not None:
        _without_values(record.exc_info[1])
    return True


def _without_values(error: BaseException) -> dict[str, str]:
    """What there is to know of the first database error in this chain. From all of them the words are taken for good:
    whoever renders them, here or later, has no others."""
    found: dict[str, str] = {}
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        if _quotes(one):
            facts = {"sqlstate": one.sqlstate, **{name: getattr(one.diag, f"{name}_name") for name in _NAMED}}
            told = {name: value for name, value in facts.items() if value is not None}
            one.args = (", ".join(f"{name} {value}" for name, value in told.items()) or "a value that cannot be kept",)
            found = found or told
        waiting += [one.__context__, one.__cause__]
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions
    return found


def _is_no_echo(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith("error ignored terminating")
