"""Limits asked by many callers of several web processes at once, counted in PostgreSQL and in Redis."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from benchmarks.client import Connection
from guardrails.enforcement import in_force
from guardrails.enforcement.limits import uses_of
from guardrails.enforcement.models import Decision, Limit
from projects.models import Organization, Project
from projects.services import create_api_key
from tests.pages.spans import MS, Spanlet, request_of, store, trace_id
from tests.servers import WEB, granian

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])]
PROCESSES, CALLERS = 3, 64
ADDRESS = "/beta/litellm_basic_guardrail_api"


@pytest.fixture(params=["postgres", "redis"])
def ports(request: pytest.FixtureRequest, settings: Settings, db: None, tmp_path: Path) -> Iterator[list[int]]:
    settings.REDIS_URL = "" if request.param == "postgres" else request.getfixturevalue("redis_url")
    in_force.forget()
    with ExitStack() as servers, ThreadPoolExecutor(PROCESSES) as pool:

        def start(number: int) -> int:
            url = servers.enter_context(granian(WEB, tmp_path / f"{number}.log", REDIS_URL=settings.REDIS_URL))
            return int(url.rpartition(":")[2])

        yield list(pool.map(start, range(PROCESSES)))


def asked_by_all(ports: list[int], secret: str, numbers: range) -> dict[int, str]:
    """What the calls with these numbers were answered."""

    async def ask() -> dict[int, str]:
        answers: dict[int, str] = {}

        async def caller(place: int) -> None:
            connection = Connection("127.0.0.1", ports[place % PROCESSES], ADDRESS, {"x-api-key": secret})
            for number in numbers[place::CALLERS]:
                body = {"input_type": "request", "texts": ["hi"], "litellm_trace_id": trace_id(number)}
                answer = await connection.post(json.dumps(body).encode())
                answers[number] = json.loads(answer.body)["action"] if answer.status == 200 else str(answer.status)
            connection.close()

        await asyncio.gather(*map(caller, range(CALLERS)))
        return answers

    return asyncio.run(ask())


def test_a_limit_is_exact_and_a_burst_passes_a_budget_by_what_is_in_flight(ports: list[int]) -> None:
    organization = Organization.objects.create(name="Acme")
    project = Project.objects.create(organization=organization, name="agents")
    secret = create_api_key(project=project, name="proxy").secret
    of: dict[str, Any] = {"organization": organization, "project": project, "window": "month", "fails_open": False}
    requests = Limit.objects.create(name="Requests", measure="requests", amount=100, **of)

    answers = asked_by_all(ports, secret, range(1, 257))
    assert Counter(answers.values()) == {"NONE": 100, "BLOCKED": 156}
    [use] = uses_of(requests, datetime.now(UTC)) or []
    assert use.used == 100
    # A block is in the ledger before it is answered.
    assert Decision.objects.filter(project=project, action="block").count() == 156

    requests.delete()
    budget = Limit.objects.create(name="Budget", measure="cost", amount=1, reserve="0.1", **of)
    time.sleep(2.1)  # a change acts within two seconds
    answers = asked_by_all(ports, secret, range(1001, 1001 + CALLERS))
    passed = [number for number, action in answers.items() if action == "NONE"]
    assert Counter(answers.values()) == {"NONE": 10, "BLOCKED": CALLERS - 10}
    [use] = uses_of(budget, datetime.now(UTC)) or []
    assert (use.used, use.reserved) == (0, 1)

    costs: dict[str, Any] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.cost.total_cost": 0.15,
    }
    spans = {number: [Spanlet("litellm_request", attributes=costs)] for number in passed}
    store(project.pk, request_of(spans, time.time_ns() - 10 * MS))
    time.sleep(1.5)
    assert Counter(asked_by_all(ports, secret, range(2001, 2065)).values()) == {"BLOCKED": 64}
    [use] = uses_of(budget, datetime.now(UTC)) or []
    assert (use.used, use.reserved) == (Decimal("1.5"), 0)
