"""One odd span must not take with it the page, film, file or feed that it is part of.

Only what makes one part of many of what a client sent goes through here. The log has the whole error, at level error,
and `portal_unshown_total` counts it: the portal has a fault then, and tests fail that did not mean to cause one.
"""

from collections.abc import Callable
from typing import TypeVar

import structlog
from django.utils.translation import gettext as _
from prometheus_client import Counter

from agentops_portal.clickhouse.gate import ClickHouseError
from traces.store.values.surrogates import mended

T = TypeVar("T")
MAX_REASON = 200  # characters; an error may quote what it failed on

UNSHOWN = Counter("portal_unshown_total", "Spans, traces and rows that could not be shown", ["where"])

log = structlog.get_logger(__name__)


def shown_or(instead: Callable[[str], T], work: Callable[[], T], *, where: str, **ids: str) -> T:
    """What `work` returns; when it fails, what `instead` makes of the reason, a sentence for people.

    where, ids: for the log. ClickHouseError is no fault of what was sent and goes on.
    """
    try:
        return work()
    except ClickHouseError:
        raise
    except Exception as error:
        UNSHOWN.labels(where).inc()
        log.exception("cannot be shown", where=where, **ids)
        reason = mended(f"{type(error).__name__}: {error}"[:MAX_REASON])
        return instead(_("This cannot be shown: %(reason)s") % {"reason": reason})
