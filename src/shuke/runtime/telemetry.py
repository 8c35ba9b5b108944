"""Log lines: each is an event with fields, on standard error, for people or for machines.

    log = structlog.get_logger()
    log.info("batch.settled", activities=1000, seconds=0.09)

Traces follow a request through settling (OpenTelemetry); they go where the standard variables say
(``OTEL_EXPORTER_OTLP_ENDPOINT``), and cost next to nothing where these say nothing.

An event's name is `thing.happened`. Fields are numbers, our ids and names from programs; nothing personal.
"""

from __future__ import annotations

import logging
import sys
from typing import TextIO

import structlog
from opentelemetry import trace

from shuke.runtime.settings import LogForm

tracer = trace.get_tracer("shuke")


def set_up(log: LogForm, *, stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Make `structlog.get_logger()` write events of `level` and above to `stream` (or standard error).

    Called once, when a process begins. "console" is for eyes (in colour on a terminal), "json" writes one
    object per line with `event`, `level`, `timestamp` (ISO 8601, UTC) and the fields.
    """
    out = sys.stderr if stream is None else stream
    # The driver tells how a pipeline ended that the exception on its way has told already.
    logging.getLogger("psycopg").addFilter(_is_no_echo)
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
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


def _is_no_echo(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith("error ignored terminating")
