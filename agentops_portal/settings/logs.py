"""Log lines: `INFO event key=value …` for people, JSON with LOG_FORMAT=json for collectors."""

import re
from typing import Any

import structlog

from agentops_portal import environment as env

LOG_LEVEL = env.choice("LOG_LEVEL", ("debug", "info", "warning", "error"), "info").upper()
LOG_FORMAT = env.choice("LOG_FORMAT", ("text", "json"), "text")

# Under `manage.py up` each line has its time already.
LOG_TIME = env.boolean("LOG_TIME", default=True)

_fields = structlog.processors.LogfmtRenderer()


def _as_text(logger: object, method: str, event: structlog.typing.EventDict) -> str:
    """One line, whatever the values hold, and below it the traceback if there is one."""
    exception = event.pop("exception", "")
    timestamp = event.pop("timestamp", "")
    time = f"{timestamp} " if LOG_TIME else ""
    level, text = str(event.pop("level", "")).upper(), str(event.pop("event", "")).replace("\n", "\\n")
    event.pop("logger", None)
    line = f"{time}{level} {text} {_fields(logger, method, event)}".rstrip()
    return f"{line}\n{exception}" if exception else line


# A link to a shared trace opens it, and Django logs the address of whatever it refuses.
_LINK = re.compile(r"(?<!\w)/share/[^/'\"\s]+")


def _without_links(logger: object, method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    for name, value in event.items():
        text = value if isinstance(value, str) else repr(value)
        if "/share/" in text:
            event[name] = _LINK.sub("/share/…", text)
    return event


_shared: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
]
_renderer: structlog.typing.Processor = structlog.processors.JSONRenderer() if LOG_FORMAT == "json" else _as_text

# https://docs.djangoproject.com/en/5.2/topics/logging/
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "structured": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": _shared,
            "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, _without_links, _renderer],
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "structured"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": [], "level": LOG_LEVEL, "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        "httpx": {"level": "WARNING"},
        # What fails is raised, and logged once by the caller.
        "clickhouse_connect": {"level": "ERROR"},
        "urllib3.connectionpool": {"level": "ERROR"},
        "weasyprint": {"level": "ERROR"},  # it warns of each letter that its fonts lack, and names are anybody's text
        "celery": {"level": LOG_LEVEL},
        # It warns of each failed connection attempt: the cause that the pool's own time-out hides.
        "psycopg": {"level": "ERROR" if LOG_LEVEL == "ERROR" else "WARNING"},
    },
}

structlog.configure(
    processors=[structlog.stdlib.filter_by_level, *_shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)
