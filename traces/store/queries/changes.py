"""Which traces got spans lately, by when the spans arrived and not by when they were."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from agentops_portal.clickhouse.gate import Scope, select
from traces.store.rollups.rollup import IN_A_TRACE

# Spans that are older when they arrive, or whose client's clock runs further ahead, are no news.
OLDEST, AHEAD = timedelta(days=7), timedelta(days=1)


@dataclass(frozen=True)
class Arrival:
    """What arrived of a trace: the number of spans, and when the last one did (milliseconds since 1970)."""

    trace_id: str
    spans: int
    last_ms: int


def arrivals(project_id: UUID, seconds: int, limit: int) -> list[Arrival]:
    """The traces of a project that got spans in the last `seconds` of the store's clock, the latest first.

    An index on the time of arrival leaves little more than the newest spans to be read, however many are stored.
    """
    now = datetime.now(UTC)
    rows = select(
        f"""
        SELECT TraceId AS trace_id, count() AS spans, toUnixTimestamp64Milli(max(received_at)) AS last_ms
        FROM otel_traces
        WHERE project_id = {{project_id:String}}
            AND Timestamp >= {{start:DateTime64(9)}} AND Timestamp < {{end:DateTime64(9)}}
            AND received_at >= now64(3) - toIntervalSecond({{seconds:UInt32}}) AND {IN_A_TRACE}
        GROUP BY trace_id
        ORDER BY last_ms DESC, trace_id
        LIMIT {{limit:UInt32}}
        """,
        name="changes.arrivals",
        scope=Scope(project_id, now - OLDEST, now + AHEAD),
        parameters={"seconds": seconds, "limit": limit},
    )
    return [Arrival(**row) for row in rows]
