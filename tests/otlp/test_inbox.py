"""What is acknowledged is stored, whoever dies in between."""

import threading
import time
from collections.abc import Iterator

import pytest
from prometheus_client import REGISTRY

from agentops_portal.clickhouse.client import get_client
from tests.receiver import entry_of
from traces.ingest.inbox import keeper
from traces.ingest.inbox import spans as store
from traces.ingest.inbox import storing as decoding
from traces.ingest.inbox import table as inbox
from traces.ingest.inbox.commit import GroupCommitter
from traces.ingest.inbox.keeper import Keeper
from traces.ingest.inbox.table import Entry
from traces.ingest.inbox.worker import Decoder
from traces.ingest.otlp.errors import Unavailable

from .conftest import PAYLOADS, Tenant
from .rows import stored_spans

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])

BODY = (PAYLOADS / "litellm-1.80.5.pb").read_bytes()  # 63 spans
OTHER = (PAYLOADS / "agentops-0.4.21-session.pb").read_bytes()  # 8 spans


class Watched(Decoder):
    """A decoder that remembers what became of each request."""

    def __init__(self) -> None:
        self.stored: list[Entry] = []
        self.refused: list[str] = []
        super().__init__(self.stored.append, lambda entry, reason: self.refused.append(reason))


@pytest.fixture
def decoder() -> Iterator[Watched]:
    decoder = Watched()
    yield decoder
    decoder.close()


@pytest.fixture(autouse=True)
def empty_inbox(transactional_db: None) -> None:
    get_client().command("TRUNCATE TABLE otlp_inbox")
    get_client().command("TRUNCATE TABLE otlp_unreadable")


def rows(table: str) -> int:
    [(count,)] = get_client().query(f"SELECT count() FROM {table}").result_rows
    return int(count)


def spans_of(tenant: Tenant) -> int:
    """Rows, where `stored_spans` has one for each span id."""
    sql = "SELECT count() FROM otel_traces WHERE project_id = {project:String}"
    [(count,)] = get_client().query(sql, parameters={"project": str(tenant.project_id)}).result_rows
    return int(count)


def left_behind(entry: Entry) -> str:
    """What a receiver leaves that was killed after its acknowledgement."""
    segment = f"{'d' * inbox.RECEIVER_LENGTH}-7"
    inbox.put([entry], segment)
    return segment


def look_until_stale(decoder: Decoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "STALE_SECONDS", 0.0)
    Keeper(decoder).look()


def test_the_inbox_is_empty_again_when_spans_are_stored(decoder: Watched, tenant: Tenant) -> None:
    committer = GroupCommitter(decoder)
    committer.submit(entry_of(tenant.project_id, BODY)).result(timeout=30)
    committer.settle()
    committer.close()

    assert len(stored_spans(tenant.project_id)) == 63
    assert rows("otlp_inbox") == 0
    assert decoder.bytes == 0


def test_what_a_dead_receiver_left_is_stored_and_booked(
    decoder: Watched, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_behind(entry_of(tenant.project_id, BODY))

    look_until_stale(decoder, monkeypatch)

    assert len(stored_spans(tenant.project_id)) == 63
    assert [(entry.spans, entry.duplicate) for entry in decoder.stored] == [(63, False)]
    assert rows("otlp_inbox") == 0


def test_a_segment_that_changes_belongs_to_a_living_receiver(decoder: Watched, tenant: Tenant) -> None:
    entry = entry_of(tenant.project_id, BODY)
    segment = left_behind(entry)
    looking = Keeper(decoder)
    for _ in range(3):
        looking.look()
        inbox.touch(segment)

    assert stored_spans(tenant.project_id) == {}
    assert inbox.read(segment)[0].body == entry.body


def test_what_a_dead_receiver_had_stored_already_is_not_stored_again(
    decoder: Watched, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = GroupCommitter(Watched())
    first.submit(entry_of(tenant.project_id, BODY)).result(timeout=30)
    first.close()
    left_behind(entry_of(tenant.project_id, BODY))

    look_until_stale(decoder, monkeypatch)

    assert spans_of(tenant) == len(stored_spans(tenant.project_id)) == 63


def test_a_request_that_was_stored_in_part_is_completed(
    decoder: Watched, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = entry_of(tenant.project_id, BODY)
    part = decoding._part(whole, first_half=True)
    store.insert(decoding._joined([part]))
    assert len(stored_spans(tenant.project_id)) == 31
    left_behind(whole)

    look_until_stale(decoder, monkeypatch)

    assert spans_of(tenant) == len(stored_spans(tenant.project_id)) == 63


def test_what_another_receiver_was_told_first_waits_until_that_one_has_stored_it(
    decoder: Watched, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or until somebody has for it: nothing is given up because another process said that it had it."""
    left_behind(entry_of(tenant.project_id, BODY))
    committer = GroupCommitter(decoder)
    committer.submit(entry_of(tenant.project_id, BODY)).result(timeout=30)
    with pytest.raises(TimeoutError):
        committer.decoder.settle(1.5)
    assert stored_spans(tenant.project_id) == {}

    look_until_stale(decoder, monkeypatch)
    committer.settle()
    committer.close()

    assert spans_of(tenant) == len(stored_spans(tenant.project_id)) == 63
    assert [entry.duplicate for entry in decoder.stored] == [False, True]


def test_a_receiver_that_ends_leaves_what_waits_for_another_in_the_inbox(
    decoder: Watched, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_behind(entry_of(tenant.project_id, BODY))
    committer = GroupCommitter(Watched())
    committer.submit(entry_of(tenant.project_id, BODY)).result(timeout=30)
    committer.close()
    assert rows("otlp_inbox") == 2

    look_until_stale(decoder, monkeypatch)
    look_until_stale(decoder, monkeypatch)

    assert spans_of(tenant) == 63
    assert rows("otlp_inbox") == 0


def test_a_request_that_cannot_be_decoded_is_put_aside_and_its_neighbours_are_stored(
    decoder: Watched, tenant: Tenant
) -> None:
    broken = entry_of(tenant.project_id, OTHER)
    broken.body = b"\x0a\x07\x12\x05\x12\x03\x09\x01\x02"  # a span whose trace id is a number that is cut off
    committer = GroupCommitter(decoder)
    done = [committer.submit(entry) for entry in (broken, entry_of(tenant.project_id, BODY))]
    for each in done:
        each.result(timeout=30)
    committer.settle()

    assert len(stored_spans(tenant.project_id)) == 63
    assert len(decoder.refused) == 1
    assert rows("otlp_unreadable") == 1
    assert rows("otlp_inbox") == 0


def test_what_needs_too_much_memory_is_stored_in_parts(
    decoder: Watched, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    inserted = store.insert

    def little_memory(batch: bytes) -> None:
        if len(batch) > 40_000:
            raise store.TooMuchAtOnce("memory limit")
        inserted(batch)

    monkeypatch.setattr(store, "insert", little_memory)
    decoding.decode([entry_of(tenant.project_id, BODY)], decoder.receiver, decoder.unreadable)

    assert spans_of(tenant) == len(stored_spans(tenant.project_id)) == 63


def test_spans_wait_while_they_cannot_be_stored(
    decoder: Watched, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("traces.ingest.inbox.worker.RETRY_SECONDS", 0.05)
    inserted = store.insert
    failures = iter([Unavailable("away"), store.ConnectionLost("lost")])

    def away_at_first(batch: bytes) -> None:
        for error in failures:
            raise error
        inserted(batch)

    monkeypatch.setattr(store, "insert", away_at_first)
    committer = GroupCommitter(decoder)
    committer.submit(entry_of(tenant.project_id, BODY)).result(timeout=30)
    committer.settle()

    assert spans_of(tenant) == 63
    assert [entry.duplicate for entry in decoder.stored] == [False]
    assert list(failures) == []


def test_a_failed_write_leaves_no_segment_to_keep_alive(
    decoder: Watched, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = inbox.put

    def lost_after_writing(entries: list[Entry], segment: str) -> None:
        written(entries, segment)
        raise Unavailable("no answer")

    with monkeypatch.context() as patched:
        patched.setattr(inbox, "put", lost_after_writing)
        with pytest.raises(Unavailable), decoder.writing([]) as segment:
            inbox.put([entry_of(tenant.project_id, BODY)], segment)
    assert rows("otlp_inbox") == 1

    Keeper(decoder).look()

    assert rows("otlp_inbox") == 0
    assert decoder.old_segments(0) == []


def test_metrics_say_how_much_waits_and_since_when(
    decoder: Watched, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = threading.Event()
    inserted = store.insert
    monkeypatch.setattr(store, "insert", lambda batch: held.wait(20) and inserted(batch))
    committer = GroupCommitter(decoder)
    entry = entry_of(tenant.project_id, BODY)
    committer.submit(entry).result(timeout=30)
    time.sleep(0.05)

    assert value("otlp_undecoded_bytes") == len(entry.body)
    assert value("otlp_undecoded_seconds") >= 0.05

    held.set()
    committer.settle()
    assert (value("otlp_undecoded_bytes"), value("otlp_undecoded_seconds")) == (0, 0)


def value(name: str) -> float:
    found = REGISTRY.get_sample_value(name)
    assert found is not None
    return found
