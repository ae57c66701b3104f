"""What clients copy, put into headers and configurations, or encode with btoa(), which knows Latin-1 only: it is ASCII,
and a key is whole or not there.
"""

import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.http import HttpResponse
from django.test import Client

from projects import credentials

from .addresses import lines
from .world import World, make_world

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

TOKEN = re.compile(r"(^|_)(id|ids|key|token|secret|bearer|prefix|url|digest)$")
SECRET = re.compile(r"(^|_)(api_key|secret)$")


@pytest.fixture
def world() -> Iterator[World]:
    credentials.forget()
    yield make_world()
    credentials.forget()


def fields(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from fields(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from fields(inner, name)
    else:
        yield name, value


def test_fields_that_clients_take_for_tokens_are_ascii_and_keys_are_whole_or_empty(world: World) -> None:
    seen: set[str] = set()
    for line in lines():
        address, body = line.filled(world.values)
        if "/span" in address or address == "/openapi.json":  # attributes are named by whoever sends them
            continue
        answer = world.ask("alice", line.method, address, body)
        if answer.status_code in {400, 403}:  # it is for keys only
            answer = world.ask("read", line.method, address, body)
        if (
            not isinstance(answer, HttpResponse)
            or answer.status_code >= 400
            or "json" not in answer.headers.get("Content-Type", "")
        ):
            continue
        for name, value in fields(json.loads(answer.content)):
            if not TOKEN.search(name) or not isinstance(value, str):
                continue
            seen.add(name)
            assert value.isascii(), f"{line}: {name}={value!r}"
            if SECRET.search(name) and value:
                assert str(UUID(value)) == value, f"{line}: {name}={value!r}"

    assert {"api_key", "api_key_prefix", "secret", "token", "bearer", "trace_id", "url", "prefix"} <= seen


def test_a_project_whose_key_is_not_shown_is_no_credential(world: World) -> None:
    """What a copy button of a dashboard copies is refused as no key, and not with a hint at somebody else's."""
    (project,) = world.clients["alice"].get("/opsboard/projects").json()

    for text in (project["api_key"], project["api_key_prefix"]):
        answer = Client().post("/v3/auth/token", {"api_key": text}, content_type="application/json")
        assert (answer.status_code, answer.json()) == (400, {"error": "Invalid API key format"})
