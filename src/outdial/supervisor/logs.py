"""Set up logging for one process.

Structlog and the standard library's loggers share one stream and one shape.
"""

import logging
import sys
from typing import Any, TextIO

import structlog

from outdial.config.sections import LogFormat, LogSettings
from outdial.supervisor.redaction import redact


def configure_logging(settings: LogSettings, *, role: str, stream: TextIO | None = None) -> None:
    """Write log lines to `stream` (standard error by default), each with `role` as a field.

    Call it once, first thing in a process. Libraries that log through `logging` are written in the same
    format and pass the same redaction.
    """
    out = stream or sys.stderr
    level = logging.getLevelNamesMapping()[settings.level.upper()]

    def add_role(
        _logger: object, _method: str, event: structlog.typing.EventDict
    ) -> structlog.typing.EventDict:
        event.setdefault("role", role)
        return event

    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_role,
        structlog.processors.StackInfoRenderer(),
    ]
    renderer: list[structlog.typing.Processor]
    if settings.format is LogFormat.JSON:
        renderer = [
            structlog.processors.format_exc_info,
            redact,
            structlog.processors.JSONRenderer(default=str),
        ]
    else:
        plain = structlog.dev.ConsoleRenderer(
            colors=out.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
        renderer = [structlog.processors.format_exc_info, redact, plain]

    structlog.configure(
        processors=[*shared, *renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=True,
    )
    _route_standard_library(out, level, shared, renderer)


def _route_standard_library(out: TextIO, level: int, shared: list[Any], renderer: list[Any]) -> None:
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # Their information lines are about themselves ("Waiting for application startup."), ours say the same.
    for chatty in ("uvicorn", "uvicorn.error", "alembic", "sqlalchemy", "asyncio"):
        logging.getLogger(chatty).setLevel(max(level, logging.WARNING))
        logging.getLogger(chatty).propagate = True
        logging.getLogger(chatty).handlers.clear()
