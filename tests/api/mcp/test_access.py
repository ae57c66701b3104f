import asyncio
from typing import Any

import httpx
import pytest
import time_machine
from django.conf import settings as portal_settings
from django.db import connections
from django.test import Client
from mcp_types.version import LATEST_HANDSHAKE_VERSION
from pytest_django import Settings

from projects import rates
from projects.services import create_api_key, delete_project, revoke_api_key
from projects.tokens import issue_project_token
from tests.cast import Cast
from tests.pages.spans import Spanlet, span_id, store_trace
from traces.mcp.endpoint import Endpoint

from .conftest import Agent

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])]

ACCEPT = {"accept": "application/json, text/event-stream", "mcp-protocol-version": LATEST_HANDSHAKE_VERSION}
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


def post(web: str, body: Any = LIST, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(f"{web}/mcp", json=body, headers=ACCEPT | named, timeout=30)


def test_a_key_is_taken_from_any_of_its_headers(web: str, key: str) -> None:
    for headers in ({"authorization": f"bearer {key}"}, {"x_api_key": key}, {"x_agentops_api_key": key}):
        answer = post(web, **headers)

        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/json"
        assert len(answer.json()["result"]["tools"]) == 5


def test_a_project_token_opens_what_its_key_opens(web: str, cast: Cast) -> None:
    issued = create_api_key(project=cast.project, name="sdk")
    store_trace(cast.project.pk, [Spanlet("mine")])

    found = Agent(web, issue_project_token(issued.key)).ask("search_traces")

    assert [trace["name"] for trace in found["traces"]] == ["mine"]


def test_without_a_key_the_answer_is_401_and_says_how(web: str) -> None:
    answer = post(web)

    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="AgentOps Portal"')
    assert "Authorization: Bearer" in answer.json()["error_description"]


@pytest.mark.parametrize("secret", ["6f1d2c3b-0000-4000-8000-000000000001", "nonsense", "a.b.c"])
def test_a_wrong_key_is_401(web: str, secret: str) -> None:
    answer = post(web, authorization=f"Bearer {secret}")

    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_a_revoked_key_and_a_deleted_project_are_401(web: str, cast: Cast) -> None:
    revoked = create_api_key(project=cast.project, name="old")
    token = issue_project_token(revoked.key)
    orphaned = create_api_key(project=cast.foreign_project, name="of a project that goes")
    revoke_api_key(key=revoked.key)
    delete_project(project=cast.foreign_project)

    answers = [post(web, authorization=f"Bearer {each}") for each in (revoked.secret, token, orphaned.secret)]

    assert [answer.status_code for answer in answers] == [401, 401, 401]
    assert [answer.json()["error_description"] for answer in answers] == [
        "This API key was revoked.",
        "This API key was revoked.",
        "The project of this API key was deleted.",
    ]


def test_a_key_that_may_only_send_is_403(web: str, cast: Cast) -> None:
    sender = create_api_key(project=cast.project, name="sender", scopes=["ingest"]).secret

    answer = post(web, authorization=f"Bearer {sender}")

    assert answer.status_code == 403
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
    assert "permission to read" in answer.json()["error_description"]


def test_a_trace_of_another_tenant_is_not_found(web: str, agent: Agent, cast: Cast) -> None:
    theirs = store_trace(cast.foreign_project.pk, [Spanlet("secret plan")])

    assert agent.text("get_trace", trace_id=theirs) == "trace_id: There is no such trace in this project."
    assert agent.text("get_span", trace_id=theirs, span_id=span_id(1)) == (
        "trace_id: There is no such trace in this project."
    )
    assert agent.text("get_span", span_id=span_id(1)) == "span_id: There is no such span in this project."
    assert agent.ask("search_traces")["traces"] == []
    assert agent.ask("search_traces", text="secret")["totals"]["traces"] == 0
    assert agent.ask("usage_summary")["total"]["requests"] == 0
    own = Agent(web, create_api_key(project=cast.foreign_project, name="own").secret)
    assert own.ask("get_trace", trace_id=theirs)["trace"]["name"] == "secret plan"


def test_a_host_name_that_is_not_the_portals_is_refused(web: str, key: str) -> None:
    answer = post(web, authorization=f"Bearer {key}", host="evil.example:8003")

    assert (answer.status_code, answer.json()["error"]) == (421, "misdirected_request")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:8003.evil.example"])
def test_a_page_of_another_origin_is_refused(web: str, key: str, origin: str) -> None:
    answer = post(web, authorization=f"Bearer {key}", origin=origin)

    assert (answer.status_code, answer.json()["error"]) == (403, "forbidden_origin")
    assert "access-control-allow-origin" not in answer.headers


def test_a_page_of_the_portals_own_origin_may_ask(web: str, key: str) -> None:
    origin = portal_settings.PORTAL_URL
    preflight = httpx.options(
        f"{web}/mcp",
        headers={
            "origin": origin,
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization,content-type,mcp-protocol-version",
        },
    )
    answer = post(web, authorization=f"Bearer {key}", origin=origin)

    assert (preflight.status_code, answer.status_code) == (204, 200)
    assert {each.headers["access-control-allow-origin"] for each in (preflight, answer)} == {origin}
    allowed = preflight.headers["access-control-allow-headers"].split(", ")
    assert {"authorization", "content-type", "x-api-key", "mcp-protocol-version"} <= set(allowed)
    assert httpx.options(f"{web}/mcp", headers={"origin": "https://evil.example"}).status_code == 403


def test_a_key_counts_with_its_other_requests_to_the_api(cast: Cast, key: str, settings: Settings) -> None:
    settings.API_REQUESTS_PER_MINUTE = 3
    rates.forget()

    async def ask() -> list[httpx.Response]:
        endpoint = Endpoint()
        async with httpx.AsyncClient(transport=httpx.ASGITransport(endpoint), base_url="http://testserver") as client:
            answers = [await client.post("/mcp", json=LIST, headers=ACCEPT | {"x-api-key": key}) for _ in range(3)]
        await endpoint.close()
        return answers

    with time_machine.travel("2026-11-23T12:00:20Z", tick=False):
        of_rest = Client().get(f"/api/v1/projects/{cast.project.pk}/ingest-receipts", headers={"x-api-key": key})
        answers = asyncio.run(ask())
    rates.forget()

    assert of_rest.status_code == 200
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert (answers[2].headers["retry-after"], answers[2].json()["error"]) == ("40", "too_many_requests")


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "HEAD"])
def test_there_is_nothing_but_post(web: str, key: str, method: str) -> None:
    answer = httpx.request(method, f"{web}/mcp", headers={"authorization": f"Bearer {key}"})

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_a_body_that_is_no_message_is_an_error_of_the_protocol(web: str, key: str) -> None:
    headers = {"authorization": f"Bearer {key}", "accept": "application/json, text/event-stream"}
    broken = httpx.post(f"{web}/mcp", content=b"{", headers=headers | {"content-type": "application/json"})
    large = post(web, {**LIST, "params": {"cursor": "x" * 300_000}}, authorization=f"Bearer {key}")

    assert (broken.status_code, broken.json()["error"]["code"]) == (400, -32700)
    assert large.status_code == 413


def test_a_tool_that_does_not_exist_is_an_error_of_the_protocol(web: str, key: str) -> None:
    call = {**LIST, "method": "tools/call", "params": {"name": "drop_tables", "arguments": {}}}

    error = post(web, call, authorization=f"Bearer {key}").json()["error"]

    assert error["code"] == -32602
    assert "search_traces" in error["message"]


def test_without_the_span_store_the_agent_is_told_to_try_again(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask() -> httpx.Response:
        endpoint = Endpoint()
        async with httpx.AsyncClient(transport=httpx.ASGITransport(endpoint), base_url="http://testserver") as client:
            call = {**LIST, "method": "tools/call", "params": {"name": "search_traces", "arguments": {}}}
            answer = await client.post("/mcp", json=call, headers=ACCEPT | {"x-api-key": key})
        await endpoint.close()
        return answer

    monkeypatch.setitem(connections.settings["clickhouse"], "PORT", 9)  # the discard port
    result = asyncio.run(ask()).json()["result"]

    assert result["isError"]
    assert result["content"][0]["text"].startswith("Traces cannot be read right now")
    assert "127.0.0.1" not in result["content"][0]["text"]
