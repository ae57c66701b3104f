"""Every number that OTLP has, over its whole range: stored, and readable everywhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

import pytest
from django.db import connections
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from tests.cast import Cast
from tests.receiver import store_body

from .reading import Everybody

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("own_store"),  # for spans of all months there are
]

NOW = 1_795_435_200 * 10**9  # 2026-11-23T12:00:00Z
LAST = 2**63 - 1  # 2262-04-11, the last nanosecond of a DateTime64(9)
MAX = 2**64 - 1
EDGES = (0, 1, NOW, LAST - 1000, LAST - 1, LAST, LAST + 1, 2**63 + 1000, MAX - 1, MAX)
INTEGERS = (0, -1, 1, 2**31, 2**53 + 1, 2**62, 2**63 - 1, -(2**63))
DOUBLES = (0.0, -0.0, 1e308, 5e-324, float("nan"), float("inf"), float("-inf"), 123456.0, 1e6, -1.0)
COUNTS = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "gen_ai.usage.total_tokens", "http.status_code")
COSTS = ("gen_ai.usage.cost", "gen_ai.cost.total_cost", "llm.cost.total")


@dataclass(frozen=True)
class Numbers:
    id: int
    start: int
    end: int
    event: int
    integer: int
    double: float

    def span(self, trace: int) -> Span:
        values = {key: AnyValue(int_value=self.integer) for key in COUNTS}
        values |= {key: AnyValue(double_value=self.double) for key in COSTS}
        values |= {"gen_ai.operation.name": AnyValue(string_value="chat"), "an.int": AnyValue(int_value=self.integer)}
        return Span(
            trace_id=trace.to_bytes(16, "big"),
            span_id=self.id.to_bytes(8, "big"),
            name="numbers",
            start_time_unix_nano=self.start,
            end_time_unix_nano=self.end,
            attributes=[KeyValue(key=key, value=value) for key, value in values.items()],
            events=[Span.Event(name="exception", time_unix_nano=self.event)],
        )


def made(starts: Sequence[int], first: int) -> list[Numbers]:
    """One for each start, the other numbers from all of their ranges; the same in every run."""
    chance = Random(first)
    return [
        Numbers(
            first + number,
            start,
            chance.choice((*EDGES, chance.randrange(2**64))),
            chance.choice((*EDGES, chance.randrange(2**64))),
            chance.choice((*INTEGERS, chance.randrange(-(2**63), 2**63))),
            chance.choice((*DOUBLES, chance.uniform(-1e9, 1e9), chance.random())),
        )
        for number, start in enumerate(starts)
    ]


@pytest.mark.parametrize(
    ("trace", "starts"),
    [
        (1, [NOW] * 24),  # ends, events and numbers of all kinds, beside each other
        (2, [LAST] * 3 + [MAX, 2**63]),  # nothing but the last moment
        (3, [each for each in EDGES for _ in range(3)]),  # from the first moment to the last
        (4, [LAST - 1000, LAST - 999]),
    ],
)
def test_any_number_is_readable(everybody: Everybody, cast: Cast, trace: int, starts: list[int]) -> None:
    spans = made(starts, 1000 * trace)
    store_body(
        cast.project.pk,
        ExportTraceServiceRequest(
            resource_spans=[ResourceSpans(scope_spans=[ScopeSpans(spans=[each.span(trace) for each in spans])])]
        ).SerializeToString(),
    )

    shown = everybody.read(f"{trace:032x}", f"{spans[0].id:016x}")

    assert shown.faults == []
    found = {each["span_id"]: each for each in shown.json("v1 spans")["results"]}
    assert len(found) == len(shown.json("monitoring replay")["events"]) == len(spans)
    for each in spans:
        row = found[f"{each.id:016x}"]
        assert row["attributes"]["an.int"] == str(each.integer)
        assert row["start"].startswith(time_of(each.start))
        assert row["end"].startswith(time_of(max(each.end, each.start)))
        assert row["events"][0]["time"].startswith(time_of(each.event))


def test_an_end_that_was_never_set_breaks_no_range(everybody: Everybody, cast: Cast) -> None:
    body = b'{"resourceSpans": [{"scopeSpans": [{"spans": [%s, %s]}]}]}'
    span = b'{"traceId": "%032x", "spanId": "%016x", "name": "x", "startTimeUnixNano": "%d", "endTimeUnixNano": "%d"}'
    store_body(cast.project.pk, body % (span % (11, 1, NOW, MAX), span % (12, 2, NOW, NOW + 1)), "application/json")

    shown = everybody.read(f"{11:032x}", f"{1:016x}", start=datetime(2026, 11, 23, tzinfo=UTC), lists=True)

    assert shown.faults == []
    rows = [line.split(",") for line in shown.text("export csv").splitlines()]
    assert {(row[0], row[1]) for row in rows[1:]} == {
        (kind, f"{trace:032x}") for kind in ("trace", "span") for trace in (11, 12)
    }
    assert shown.json("flow of trace")["trace_count"] == 1


def time_of(nanoseconds: int) -> str:
    moment = datetime.fromtimestamp(min(nanoseconds, LAST) // 10**9, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}"


@pytest.mark.parametrize(
    "rows",
    [
        [(LAST, 0), (LAST, MAX)],
        [(NOW, MAX), (NOW, LAST), (LAST - 1, 5)],
        # A Collector takes times for signed; what it sends is never before 1900.
        [(-1, 1), (-2_208_988_800 * 10**9, 0), (-2_208_988_800 * 10**9, LAST), (NOW, 1)],
    ],
)
def test_what_a_collector_wrote_is_readable(everybody: Everybody, cast: Cast, rows: list[tuple[int, int]]) -> None:
    """Straight into the table: starts and durations, in nanoseconds since 1970."""
    with connections["clickhouse"].cursor() as cursor:
        for number, (start, duration) in enumerate(rows, 21):
            moment = f"fromUnixTimestamp64Nano(toInt64('{start}'))"
            cursor.execute(
                "INSERT INTO otel_traces (Timestamp, TraceId, SpanId, SpanName, Duration, ResourceAttributes, "
                f"`Events.Timestamp`, `Events.Name`, `Events.Attributes`) SELECT {moment}, '{21:032x}', "
                f"'{number:016x}', 'odd', {duration}, map('agentops.project.id', '{cast.project.pk}'), [{moment}], "
                "['e'], [map()]"
            )

    shown = everybody.read(f"{21:032x}", f"{21:016x}")

    assert shown.faults == []
    assert len(shown.json("v1 spans")["results"]) == len(shown.json("monitoring replay")["events"]) == len(rows)
    assert shown.json("v1 span")["name"] == "odd"
