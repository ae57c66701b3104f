"""A span counts once in spans, roll-ups and the ledger, whatever request brings it, and however late."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from agentops_portal.clickhouse.client import get_client
from tests.pages.spans import Spanlet, recorded, request_of
from tests.receiver import entry_of
from tests.rollups.arrivals import pieces
from tests.rollups.conftest import PAYLOADS
from traces.ingest.inbox.commit import GroupCommitter
from traces.ingest.inbox.table import Entry
from traces.ingest.inbox.worker import Decoder

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

START = 1_790_000_000 * 10**9
CALL = Spanlet(
    "chat",
    attributes={
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.cost": 0.5,
    },
)
OTHER = Spanlet("x", id=2, parent=1)

_COUNTED = {
    "otel_traces": "SELECT count(), uniqExact(TraceId, SpanId), sum(total_tokens), sum(reported_cost)",
    "usage_quarters": (
        "SELECT sum(spans), sumIf(spans, type IN ('llm', 'embedding')), "
        "sumIf(spans, status = 'Error' AND type = 'llm'), sum(cached_calls), sum(input), sum(output), sum(tokens), "
        "sum(cost), sum(saved)"
    ),
    "trace_summaries": (
        "SELECT sum(spans), sum(failed_spans), sum(done_calls), sum(failed_calls), "
        "sum(priced_calls), sum(tokens), sum(cost), length(groupUniqArrayArray(runs))"
    ),
    "guardrail_runs": "SELECT count(), countIf(outcome = 'blocked'), countIf(outcome = 'masked')",
}


def counted(project_id: UUID) -> dict[str, Sequence[object]]:
    """Everything that sending a span twice would change, by table."""
    return {
        table: get_client()
        .query(
            f"{columns} FROM {table} {'FINAL' if table == 'guardrail_runs' else ''} "
            "WHERE project_id = {project:String}",
            parameters={"project": str(project_id)},
        )
        .result_rows[0]
        for table, columns in _COUNTED.items()
    }


class Receiver:
    """A receiver of its own, as another process is."""

    def __init__(self) -> None:
        self.stored: list[Entry] = []
        self.committer = GroupCommitter(Decoder(self.stored.append, lambda entry, reason: None))

    def send(self, project_id: UUID, *requests: ExportTraceServiceRequest) -> None:
        """All of them at once; returns when they are stored."""
        done = [self.committer.submit(entry_of(project_id, each.SerializeToString())) for each in requests]
        for each in done:
            each.result(timeout=60)
        self.committer.decoder.settle(60)


@pytest.fixture
def new_receiver() -> Iterator[Callable[[], Receiver]]:
    made: list[Receiver] = []

    def make() -> Receiver:
        made.append(Receiver())
        return made[-1]

    yield make
    for each in made:
        each.committer.close()


def request(*spans: Spanlet) -> ExportTraceServiceRequest:
    return request_of({1: spans}, START)


def once(project_id: UUID) -> None:
    """The call and the other span, each counted once."""
    found = counted(project_id)
    assert found["otel_traces"] == (2, 2, 120, Decimal("0.5"))
    assert found["trace_summaries"] == (2, 0, 1, 0, 1, 120, Decimal("0.5"), 0)
    assert found["usage_quarters"] == (2, 1, 0, 0, 100, 20, 120, Decimal("0.5"), None)


def test_a_span_that_comes_again_beside_another(new_receiver: Callable[[], Receiver]) -> None:
    project_id, own = uuid4(), new_receiver()
    own.send(project_id, request(CALL))
    own.send(project_id, request(CALL, OTHER))

    once(project_id)
    assert [(entry.spans, entry.repeated, entry.duplicate) for entry in own.stored] == [(1, 0, False), (2, 1, False)]


def test_the_same_span_in_requests_that_are_stored_together(new_receiver: Callable[[], Receiver]) -> None:
    project_id, own = uuid4(), new_receiver()
    own.send(project_id, request(CALL), request(OTHER, CALL), request(CALL, OTHER))

    once(project_id)
    assert sum(entry.repeated for entry in own.stored) == 3


def test_the_same_span_twice_in_one_request(new_receiver: Callable[[], Receiver]) -> None:
    project_id, own = uuid4(), new_receiver()
    own.send(project_id, request(CALL, OTHER, CALL))

    once(project_id)
    assert [entry.repeated for entry in own.stored] == [1]


def test_a_span_that_comes_again_to_other_receivers(new_receiver: Callable[[], Receiver]) -> None:
    """Hours later or at once is the same: nothing asks when a span was received."""
    project_id = uuid4()
    new_receiver().send(project_id, request(CALL))
    new_receiver().send(project_id, request(CALL))
    new_receiver().send(project_id, request(OTHER, CALL))

    once(project_id)


@pytest.mark.parametrize("pause", [0.0, 0.1, 0.3])
def test_a_span_that_comes_again_to_another_receiver_before_the_first_has_stored_it(
    new_receiver: Callable[[], Receiver], pause: float
) -> None:
    """Beside another span, so that the requests differ; each was answered before the next one was sent."""
    project_id = uuid4()
    first, second, third = new_receiver(), new_receiver(), new_receiver()
    for each, body in ((first, request(CALL)), (second, request(OTHER, CALL)), (third, request(CALL, OTHER))):
        each.committer.submit(entry_of(project_id, body.SerializeToString())).result(timeout=60)
        time.sleep(pause)
    for each in (third, second, first):
        each.committer.decoder.settle(60)

    once(project_id)
    assert sum(entry.repeated for each in (first, second, third) for entry in each.stored) == 3


def test_the_same_ids_in_another_project_and_in_another_trace_are_other_spans(
    new_receiver: Callable[[], Receiver],
) -> None:
    project_id, other_project, own = uuid4(), uuid4(), new_receiver()
    own.send(project_id, request(CALL), request_of({2: [CALL]}, START))
    own.send(other_project, request(CALL))

    assert counted(project_id)["otel_traces"][:2] == (2, 2)
    assert counted(other_project)["otel_traces"][:2] == (1, 1)


def test_of_one_span_with_two_contents_the_first_counts(new_receiver: Callable[[], Receiver]) -> None:
    project_id, own = uuid4(), new_receiver()
    own.send(project_id, request(CALL, OTHER))
    dearer = Spanlet("chat", end=20, attributes={**CALL.attributes, "gen_ai.usage.cost": 0.75})
    own.send(project_id, request(dearer))

    once(project_id)


def test_what_a_clock_from_the_start_of_the_machine_timed(new_receiver: Callable[[], Receiver]) -> None:
    """The receiver moves such spans, by the others in their request: alone they lie elsewhere."""
    project_id, own = uuid4(), new_receiver()
    root = Spanlet("root", id=3)
    odd = request_of({1: [Spanlet("router", id=4, parent=3)]}, 12_345 * 10**9)
    together = request(root)
    together.MergeFrom(odd)
    for each in (odd, together, request(root), odd):
        own.send(project_id, each)

    assert counted(project_id)["otel_traces"][:2] == (2, 2)


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[str, list[list[int]]]:
    """A recorded body, and which of its spans come in which request: each at least once."""
    name = draw(st.sampled_from(PAYLOADS))
    count = sum(1 for _ in pieces(recorded(name)))
    size = draw(st.sampled_from([1, 3, count]))
    dice = random.Random(draw(st.integers(0, 2**32)))
    numbers = [*range(count), *dice.choices(range(count), k=draw(st.integers(0, 2 * count)))]
    dice.shuffle(numbers)
    return name, [numbers[first : first + size] for first in range(0, len(numbers), size)]


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(delivery=deliveries(), together=st.booleans())
def test_any_cut_and_repetition_of_a_body_counts_as_the_body_sent_once(
    delivery: tuple[str, list[list[int]]], together: bool
) -> None:
    name, numbers = delivery
    spans = list(pieces(recorded(name)))
    expected, project_id = uuid4(), uuid4()
    own = Receiver()
    own.send(expected, recorded(name))
    requests = [joined([spans[number] for number in each]) for each in numbers]
    middle = len(requests) // 2
    for part in [requests] if together else [requests[:middle], requests[middle:]]:
        own.send(project_id, *part)
    own.committer.close()

    assert counted(project_id) == counted(expected)


def joined(parts: Sequence[ExportTraceServiceRequest]) -> ExportTraceServiceRequest:
    whole = ExportTraceServiceRequest()
    for part in parts:
        whole.MergeFrom(part)
    return whole
