"""Every operation of /openapi.json, asked with what its schema allows and with what it forbids, as each role: no answer
is a server error, and none has a status, a content type or a body that the schema does not declare.

The same requests in every run. What a request changes is undone at once.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from typing import Any

import pytest
import schemathesis
from django.conf import settings as portal_settings
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import HypothesisException
from hypothesis.internal.conjecture import engine
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Ok
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from projects import credentials

from .addresses import routes
from .world import World, apart, make_world, undone

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
# Requests for each operation: with ids that exist, with any that fit, with some that do not.
EXAMPLES = {
    "alice": (4, 3, 4),
    "ann": (1, 1, 0),
    "bob": (1, 1, 0),
    "bo": (1, 1, 0),
    "charlie": (1, 1, 0),
    "read": (2, 1, 0),
    "ingest": (1, 0, 0),
    "nobody": (1, 0, 1),
}

ATTEMPTS = 40


@pytest.fixture
def world() -> Iterator[World]:
    credentials.forget()
    yield make_world(apart)  # something may be deleted
    credentials.forget()


@pytest.fixture(autouse=True)
def _soon_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can be wrong, as in an address whose only parameter is any text, hypothesis looks for it 459 times
    in vain, which takes longer than all requests. What can be wrong is found within a few attempts.
    """
    monkeypatch.setattr(engine, "INVALID_THRESHOLD_BASE", ATTEMPTS)


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """The requests run within the test's transaction, whose connection must not be closed between them."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@cache
def described_api() -> BaseSchema:
    """The same for all actors, and made once: to read it takes longer than to ask one of them everything."""
    schema = schemathesis.openapi.from_wsgi("/openapi.json", get_wsgi_application())
    schema.config.generation.with_security_parameters = False  # the actor's own count
    return schema


@pytest.mark.parametrize("actor", EXAMPLES)
def test_every_answer_is_as_the_schema_says(world: World, actor: str) -> None:
    schema = described_api()
    credentials_of_actor = headers_of(world, actor), cookies_of(world, actor)
    problems: dict[str, str] = {}
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), result
        operation = result.ok()
        for example in strategies(operation, world, EXAMPLES[actor]):
            for problem in faults(example, *credentials_of_actor):
                problems.setdefault(f"{operation.method.upper()} {operation.path}: {problem.splitlines()[0]}", problem)

    assert not problems, "\n\n".join(f"{name}\n{text}" for name, text in problems.items())


CSRF_TOKEN = "t" * 32


def test_every_address_of_the_api_is_in_the_schema() -> None:
    described = {path.strip("/") for path in SchemaGenerator().get_schema(public=True)["paths"]}
    api = ("api/", "agents", "auth/", "opsboard/", "v3/", "v4/", "public/")
    other_names = ("api/agentops/", "api/agents", "v4/metrics/")  # of what is described once
    addresses = {re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route).strip("/") for route in routes()}

    expected = {each for each in addresses if each.startswith(api) and not each.startswith(other_names)}
    assert expected - described == set()


def headers_of(world: World, actor: str) -> dict[str, str]:
    sent = {"Origin": portal_settings.PORTAL_URL, "X-CSRFToken": CSRF_TOKEN}
    if key := world.clients[actor].defaults.get("HTTP_X_API_KEY"):
        sent["X-Api-Key"] = str(key)
    return sent


def cookies_of(world: World, actor: str) -> dict[str, str]:
    """Apart from the headers: the WSGI client puts its own in place of a header Cookie."""
    cookie = world.clients[actor].cookies.get(portal_settings.SESSION_COOKIE_NAME)
    session = {portal_settings.SESSION_COOKIE_NAME: cookie.value} if cookie else {}
    return {**session, portal_settings.CSRF_COOKIE_NAME: CSRF_TOKEN}


def strategies(operation: APIOperation, world: World, counts: tuple[int, int, int]) -> Iterator[Any]:
    path, query = known_values(operation, world)
    kinds: list[dict[str, Any]] = [
        {"path_parameters": path, "query": query},
        {},
        {"generation_mode": GenerationMode.NEGATIVE},
    ]
    for count, arguments in zip(counts, kinds, strict=True):
        if count:
            yield count, operation.as_strategy(**arguments)


def known_values(operation: APIOperation, world: World) -> tuple[dict[str, str], dict[str, str]]:
    """Ids of the world for the parameters that an operation has."""
    known = {
        "project_id": world.values["project"],
        "trace_id": world.values["trace"],
        "span_id": world.values["span"],
        "organization_id": world.values["organization"],
        "key_id": world.values["key"],
        "agent_id": world.values["agent"],
        "email": world.values["email"],
    }
    return tuple(  # type: ignore[return-value]
        {each.name: known[each.name] for each in parameters if each.name in known}
        for parameters in (operation.path_parameters, operation.query)
    )


def faults(example: tuple[int, Any], headers: dict[str, str], cookies: dict[str, str]) -> list[str]:
    """What is wrong with the answers to the examples of one strategy."""
    count, strategy = example
    found: list[str] = []

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def ask(case: Case) -> None:
        with undone():
            response = case.call(headers=headers, cookies=cookies)
        try:
            case.validate_response(response, checks=CHECKS)
        except FailureGroup as group:
            found.extend(described(failure, case) for failure in group.exceptions)
        except Failure as failure:
            found.append(described(failure, case))

    with suppress(HypothesisException):  # nothing in this operation can be wrong
        ask()
    return found


def described(failure: BaseException, case: Case) -> str:
    title = getattr(failure, "title", type(failure).__name__)
    return f"{title}: {getattr(failure, 'message', failure)}\n{case.as_curl_command()}"
