"""The short way of checks answers as Django does, and leaves to Django what is not as it should be."""

import asyncio
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest
from django.db import connections
from django.test import Client

from compat.litellm.guardrail import ADDRESS, GuardrailForm
from guardrails.enforcement import in_force, ledger
from guardrails.enforcement.api.check import CheckForm
from guardrails.enforcement.door import Door, Receive, Scope, Send
from guardrails.enforcement.models import Decision, Limit, Rule
from projects import credentials, rates
from projects.services import create_api_key
from tests.cast import Cast, make_cast

pytestmark = pytest.mark.django_db(transaction=True)
LONG_WAY = 418
CARD = "4111 1111 1111 1111"
ASKED: dict[str, Any] = {
    "input_type": "request",
    "texts": [f"pay with {CARD}"],
    "structured_messages": [{"role": "user", "content": f"pay with {CARD}"}],
    "tool_calls": None,
    "model": "qwen-235b",
    "litellm_call_id": "0ed8ab54-3a0b-4f6e-9f06-b4bd1b8c4b11",
    "request_data": {"user_api_key_alias": "proxy", "user_api_key_user_id": "ann"},
}
CHECKED: dict[str, Any] = {
    "phase": "input",
    "texts": [CARD, "hi"],
    "user": "ann",
    "trace_id": "c" * 32,
    "span_id": "b" * 16,
}


async def long_way(scope: Scope, receive: Receive, send: Send) -> None:
    """Tells which body came to it."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    await send({"type": "http.response.start", "status": LONG_WAY, "headers": []})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
def cast() -> Iterator[Cast]:
    credentials.forget()
    rates.forget()
    in_force.forget()
    ledger.forget()
    made = make_cast()
    Rule.objects.create(organization=made.organization, name="Cards", entities=["card"])
    Limit.objects.create(organization=made.organization, name="Few", measure="requests", amount=4, window="month")
    yield made
    connections.close_all()


def posted(path: str, body: Any, **headers: str) -> httpx.Response:
    """What the door answers."""
    door = Door(long_way, (GuardrailForm(), CheckForm()))
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def post() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(door), base_url="http://portal") as client:
            return await client.post(path, content=content, headers=headers)

    return asyncio.run(post())


def test_both_ways_answer_alike(cast: Cast) -> None:
    secret = create_api_key(project=cast.project, name="proxy").secret
    django = Client(headers={"x-api-key": secret})
    check = f"/api/v1/projects/{cast.project.pk}/guardrails/check"

    for path, body in ((ADDRESS, ASKED), (check, CHECKED), (ADDRESS, ASKED)):
        short = posted(path, body, **{"x-api-key": secret})
        long = django.post(path, body, content_type="application/json")
        assert (short.status_code, long.status_code) == (200, 200)
        told, also_told = short.json(), long.json()
        if path == check:
            assert told.pop("decision_id") != also_told.pop("decision_id")
            assert [Decimal(each["limits"][0].pop("used")) for each in (told, also_told)] == [3, 4]
        assert told == also_told
        assert set(short.headers) <= {name.lower() for name in long.headers}
    # The limit is one for both ways, and both note.
    assert told["action"] == "BLOCKED"
    ledger.flush()
    noted = Decision.objects.order_by("at").values_list("source", "action", "key", "user", "trace_id")
    masked, blocked = ("litellm", "mask", "proxy", "ann", ""), ("litellm", "block", "proxy", "ann", "")
    assert list(noted) == [masked, masked, *[("api", "mask", "", "ann", "c" * 32)] * 2, blocked, blocked]


def test_what_is_not_as_it_should_be_goes_the_long_way_as_a_whole(cast: Cast) -> None:
    secret = create_api_key(project=cast.project, name="proxy").secret
    reading = create_api_key(project=cast.project, name="reads", scopes=["read"]).secret
    own = {"x-api-key": secret}
    check, foreign = (f"/api/v1/projects/{each.pk}/guardrails/check" for each in (cast.project, cast.foreign_project))
    odd: list[tuple[str, Any, dict[str, str]]] = [
        (ADDRESS, ASKED, {}),
        (ADDRESS, ASKED, {"x-api-key": "00000000-0000-4000-8000-000000000000"}),
        (ADDRESS, ASKED, {"x-api-key": reading}),
        (ADDRESS, ASKED, own | {"origin": "https://page.example.com"}),
        (ADDRESS, b"{", own),
        (ADDRESS, [], own),
        (ADDRESS, ASKED | {"input_type": "later"}, own),
        (ADDRESS, ASKED | {"texts": [1]}, own),
        (ADDRESS, ASKED | {"structured_messages": "x"}, own),
        (ADDRESS, ASKED | {"model": " qwen"}, own),
        (ADDRESS, ASKED | {"model": "q" * 1001}, own),
        (ADDRESS, ASKED | {"litellm_trace_id": "a\0"}, own),
        (ADDRESS, ASKED | {"request_data": []}, own),
        (f"{ADDRESS}/", ASKED, own),
        (foreign, CHECKED, own),
        (check, {"texts": ["hi"]}, own),
        (check, CHECKED | {"texts": None}, own),
        (check, CHECKED | {"unknown": 1}, own),
        (check, CHECKED | {"trace_id": "C" * 32}, own),
        (check, CHECKED | {"call_id": ""}, own),
    ]
    for path, body, headers in odd:
        answer = posted(path, body, **headers)
        assert answer.status_code == LONG_WAY, body
        assert answer.content == (body if isinstance(body, bytes) else json.dumps(body).encode())
    ledger.flush()
    assert not Decision.objects.exists()
