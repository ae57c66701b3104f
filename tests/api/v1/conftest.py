"""A project whose figures are easy to work out by hand, and the addresses of the API."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from projects.services import create_api_key
from tests.cast import Cast
from tests.kept import give, give_recorded
from tests.pages.spans import MS, Spanlet, Value, request_of

# When tests/payloads were recorded.
RECORDED = "start=2026-11-23T00:00:00Z&end=2026-11-24T00:00:00Z"
# Three traces, one at each of these seconds after midnight of 1 October 2026, UTC.
MIDNIGHT_NS = 1_790_812_800 * 10**9
SECONDS = {1: 600, 2: 1200, 3: 30 * 3600}
OCTOBER = "start=2026-10-01T00:00:00Z&end=2026-10-03T00:00:00Z"
ERROR = 2

Send = Callable[..., Any]


def call(model: str, given: int, answered: int, cost: float | None = None, **more: Value) -> dict[str, Value]:
    """The attributes of an LLM call."""
    attributes: dict[str, Value] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": model,
        "gen_ai.usage.input_tokens": given,
        "gen_ai.usage.output_tokens": answered,
    }
    priced = {} if cost is None else {"gen_ai.usage.total_cost": cost}
    return {**attributes, **priced, **{name.replace("__", "."): value for name, value in more.items()}}


def guard(name: str, action: str) -> dict[str, Value]:
    return {"guard.name": name, "guard.phase": "input", "guard.action": action, "guard.denied": action == "deny"}


TRACES = {
    # Two calls by an agent, 30 + 70 tokens, 0.25 + 0.5 dollars; half a second.
    1: [
        Spanlet("plan", 1, end=500, attributes={"agentops.tags": ["nightly", "한국어"], "user.id": "mina"}),
        Spanlet("chat gpt-4o", 2, 1, 10, 110, attributes=call("gpt-4o", 10, 20, 0.25, gen_ai__agent__name="planner")),
        Spanlet("chat gpt-4o", 3, 1, 120, 320, attributes=call("gpt-4o", 60, 10, 0.5, gen_ai__agent__name="planner")),
        Spanlet("check", 4, 1, 1, 3, attributes=guard("pii", "allow")),
    ],
    # A call whose cost nobody knows, in the session of mina; a guardrail blocks its answer, which is an error.
    2: [
        Spanlet("answer", 1, end=2000, status=ERROR, attributes={"gen_ai.conversation.id": "s-1", "user.id": "mina"}),
        Spanlet("chat qwen", 2, 1, 10, 1010, attributes=call("qwen", 5, 7)),
        Spanlet("check", 3, 1, 1020, 1024, attributes=guard("pii", "deny")),
    ],
    # Nothing but a request, a day later.
    3: [Spanlet("GET /health", 1, end=4)],
}


@pytest.fixture
def at(cast: Cast) -> str:
    return f"/api/v1/projects/{cast.project.pk}"


@pytest.fixture
def figures(cast: Cast) -> Cast:
    """TRACES in Alice's project, and something of Charlie's."""
    starts = {number: MIDNIGHT_NS + seconds * 1000 * MS for number, seconds in SECONDS.items()}
    give(cast.project, request_of(TRACES, starts))
    give(cast.foreign_project, request_of({9: [Spanlet("secret", attributes=call("gpt-4o", 1, 1, 1))]}, starts[1]))
    return cast


@pytest.fixture
def mixed(cast: Cast) -> Cast:
    """LiteLLM's recorded traffic: calls, failures, guardrails."""
    give_recorded(cast.project, "litellm-1.106.2-mixed")
    return cast


@pytest.fixture
def key(cast: Cast) -> str:
    return create_api_key(project=cast.project, name="reader", scopes=["read"]).secret


@pytest.fixture
def send(cast: Cast) -> Send:
    """`send("post", address, body, person="ann")` as a page of the portal does, or with `key=` as a machine."""

    def ask(method: str, address: str, body: object = None, *, person: str = "", key: str = "", **headers: str) -> Any:
        client = Client()
        if person:
            client.force_login(cast[person])
        sent = {"Authorization": f"Bearer {key}"} if key else {}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        data = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
        return getattr(client, method)(address, headers={**sent, **named}, **data)

    return ask
