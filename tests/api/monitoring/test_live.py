"""The news of a project over a WebSocket: what is told, to whom, at which cost."""

import asyncio
import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from agentops_portal.clickhouse.gate import ClickHouseUnavailable
from projects.services import create_api_key
from tests.cast import Cast
from tests.pages.spans import Spanlet, Value, store_trace, trace_id
from traces.live import feed, hub
from traces.store.queries import changes

from .live_server import LiveServer, close_of, live_server, next_of
from .sending import send

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])

LLM: dict[str, Value] = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.cost": 0.5}
ERROR = 2


@pytest.fixture
def live(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveServer]:
    monkeypatch.setattr(hub, "LOOK_SECONDS", 0.2)
    monkeypatch.setattr(hub, "AWAY_SECONDS", 0.2)
    with live_server() as server:
        yield server


@pytest.fixture
def key(cast: Cast) -> str:
    return create_api_key(project=cast.project, name="reader", scopes=["read"]).secret


def listening(live: LiveServer, cast: Cast, key: str, **options: Any) -> ClientConnection:
    """A socket whose feed has looked once: what comes from now on is news."""
    looked = len(looks)
    socket = live.with_key(cast.project.pk, key, **options)
    deadline = time.monotonic() + 15
    while len(looks) == looked and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(looks) > looked
    return socket


looks: list[object] = []


@pytest.fixture(autouse=True)
def _counted_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    real = feed.Feed.look

    def look(self: feed.Feed) -> list[str]:
        try:
            return real(self)
        finally:
            looks.append(self)

    monkeypatch.setattr(feed.Feed, "look", look)


def test_a_new_trace_is_told_as_a_row_of_the_list(live: LiveServer, cast: Cast, key: str) -> None:
    with listening(live, cast, key) as socket:
        start = time.time_ns()
        spans = [Spanlet("ask", id=1, end=30), Spanlet("call", id=2, parent=1, status=ERROR, attributes=LLM)]
        store_trace(cast.project.pk, spans, start_ns=start)

        told = next_of(socket, "trace_new")

    day = "start_time=2000-01-01T00:00:00Z&end_time=2200-01-01T00:00:00Z"
    listed = send(cast, "GET", f"/api/monitoring/traces?project_id={cast.project.pk}&{day}", key=key).json()
    assert told["data"] == listed["traces"][0]
    assert (told["data"]["trace_id"], told["data"]["span_count"], told["data"]["duration"]) == (trace_id(1), 2, 30.0)
    assert told["data"]["total_cost"] == 0.5
    assert told["timestamp"].endswith("+00:00")


def test_what_is_added_to_a_trace_is_told_as_an_update(live: LiveServer, cast: Cast, key: str) -> None:
    start = time.time_ns()
    with listening(live, cast, key) as socket:
        store_trace(cast.project.pk, [Spanlet("call", id=2, parent=1, attributes=LLM)], start_ns=start)
        assert next_of(socket, "trace_new", "trace_update")["type"] == "trace_new"

        store_trace(cast.project.pk, [Spanlet("ask", id=1, end=250, status=ERROR)], start_ns=start)
        told = next_of(socket, "trace_new", "trace_update")

    assert told["type"] == "trace_update"
    expected = {"trace_id": trace_id(1), "status": "error", "duration": 250.0, "cost": 0.5, "span_count": 2}
    assert {name: told["data"][name] for name in expected} == expected


def test_a_trace_that_was_there_before_is_no_news_until_it_changes(live: LiveServer, cast: Cast, key: str) -> None:
    start = time.time_ns()
    store_trace(cast.project.pk, [Spanlet("old", id=1)], number=1, start_ns=start)
    with listening(live, cast, key) as socket:
        store_trace(cast.project.pk, [Spanlet("more", id=2, parent=1)], number=1, start_ns=start)
        store_trace(cast.project.pk, [Spanlet("new")], number=2)

        told = [next_of(socket, "trace_new", "trace_update") for _ in range(2)]

    assert {(message["type"], message["data"]["trace_id"]) for message in told} == {
        ("trace_update", trace_id(1)),
        ("trace_new", trace_id(2)),
    }


def test_nobody_hears_of_another_project(live: LiveServer, cast: Cast, key: str) -> None:
    with listening(live, cast, key) as socket:
        store_trace(cast.foreign_project.pk, [Spanlet("theirs")], number=1)
        store_trace(cast.project.pk, [Spanlet("ours")], number=2)

        assert next_of(socket, "trace_new", "trace_update")["data"]["span_name"] == "ours"


def test_all_who_listen_are_told_and_the_store_is_asked_once(live: LiveServer, cast: Cast, key: str) -> None:
    with listening(live, cast, key) as first, live.with_key(cast.project.pk, key) as second:
        while live.sockets < 2:
            time.sleep(0.02)
        before = len(looks)
        store_trace(cast.project.pk, [Spanlet("ours")])

        assert next_of(first, "trace_new") == next_of(second, "trace_new")
        assert len(looks) > before
        assert len({id(each) for each in looks[before:]}) == 1


def test_nothing_is_asked_while_nobody_listens(live: LiveServer, cast: Cast, key: str) -> None:
    with listening(live, cast, key):
        pass
    while live.sockets:
        time.sleep(0.02)
    time.sleep(0.3)  # a look that had begun
    count = len(looks)
    time.sleep(0.8)

    assert len(looks) == count
    assert live.application.hub._feeds == {}


def test_metrics_follow_what_happens(live: LiveServer, cast: Cast, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "METRICS_SECONDS", 0)
    with listening(live, cast, key) as socket:
        store_trace(cast.project.pk, [Spanlet("call", attributes=LLM)])

        told = next_of(socket, "metrics_update")["data"]

    times = f"start_time={told.pop('start_time')}&end_time={told.pop('end_time')}".replace("+", "%2B")
    asked = send(cast, "GET", f"/api/monitoring/metrics?project_id={cast.project.pk}&{times}", key=key).json()
    assert told == asked
    assert (told["trace_count"], told["llm_call_count"], told["total_cost"]) == (1, 1, 0.5)


def test_an_outage_is_told_once_and_what_came_meanwhile_after_it(
    live: LiveServer, cast: Cast, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(*args: object) -> list[changes.Arrival]:
        raise ClickHouseUnavailable("gone")

    with listening(live, cast, key) as socket:
        with monkeypatch.context() as away:
            away.setattr(feed, "arrivals", unavailable)
            told = next_of(socket, "trace_new", "trace_update", "error")
            store_trace(cast.project.pk, [Spanlet("meanwhile")])
            time.sleep(0.6)
        later = next_of(socket, "trace_new", "trace_update", "error")

    assert (told["type"], told["data"]) == ("error", {"message": "The span store does not answer."})
    assert (later["type"], later["data"]["span_name"]) == ("trace_new", "meanwhile")


def test_a_fault_in_the_metrics_hides_no_trace(
    live: LiveServer, cast: Cast, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(*args: object) -> dict[str, Any]:
        raise ClickHouseUnavailable("gone")

    monkeypatch.setattr(feed, "METRICS_SECONDS", 0)
    monkeypatch.setattr(feed, "metrics_of", unavailable)
    with listening(live, cast, key) as socket:
        store_trace(cast.project.pk, [Spanlet("ours")])

        assert next_of(socket, "trace_new", "error")["data"]["span_name"] == "ours"


def test_old_spans_are_no_news(cast: Cast) -> None:
    now, day = time.time_ns(), 86_400 * 10**9
    for number, start in enumerate((now, now - 6 * day, now - 8 * day, now + 2 * day), start=1):
        store_trace(cast.project.pk, [Spanlet("span")], number=number, start_ns=start)

    found = changes.arrivals(cast.project.pk, 60, 10)

    assert {arrival.trace_id for arrival in found} == {trace_id(1), trace_id(2)}


def test_a_socket_too_many_is_asked_to_come_back(
    live: LiveServer, cast: Cast, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening(live, cast, key):
        for limit in ("MAX_SOCKETS", "MAX_SOCKETS_PER_PROJECT"):
            with monkeypatch.context() as full:
                full.setattr(hub, limit, 1)
                with live.with_key(cast.project.pk, key) as another:
                    assert close_of(another)[0] == 1013


def test_a_client_that_takes_nothing_is_given_up_and_holds_up_nobody(
    live: LiveServer, cast: Cast, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "MAX_WAITING", 8)
    text = secrets.token_hex(450_000)  # nothing that compression makes small
    with listening(live, cast, key) as quick, live.with_key(cast.project.pk, key, max_queue=1) as slow:
        while live.sockets < 2:
            time.sleep(0.02)
        for _ in range(60):  # more than the sockets' buffers and the queue hold
            live.run(lambda: live.application.hub._tell_all(cast.project.pk, text))
            while quick.recv(timeout=15) != text:
                pass

        deadline = time.monotonic() + 15
        while live.sockets == 2 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert live.sockets == 1
        with suppress(ConnectionClosed):
            while True:
                slow.recv(timeout=15)


def test_what_clients_say_is_ignored(live: LiveServer, cast: Cast, key: str) -> None:
    with listening(live, cast, key) as socket:
        for words in ("ping", '{"type": "subscribe"}', b"\x00\xff", "x" * 100_000):
            socket.send(words)
        store_trace(cast.project.pk, [Spanlet("ours")])

        assert next_of(socket, "trace_new")["data"]["span_name"] == "ours"


def test_closing_ends_every_socket_with_a_word(live: LiveServer, cast: Cast, key: str) -> None:
    with listening(live, cast, key) as socket:
        asyncio.run_coroutine_threadsafe(live.application.close(), live.loop).result(timeout=10)

        assert close_of(socket)[0] == 1012
        with live.with_key(cast.project.pk, key) as late:
            assert close_of(late)[0] == 1013
