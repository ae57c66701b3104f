"""Guardrails of recorded proxies, counted by hand: each run once, an error is no block."""

from typing import Any

import pytest

from tests.api.conftest import Get
from tests.cast import Cast
from tests.kept import give_recorded
from tests.pages.spans import Spanlet, Value, store_trace

from .stored import address

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

START = 1_795_422_415_000_000_000  # 2026-11-23T08:26:55Z
LLM: dict[str, Value] = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}


def run(mode: str, status: str = "success", name: str = "pii") -> dict[str, Value]:
    return {"guardrail_name": name, "guardrail_mode": mode, "guardrail_status": status}


def guardrails(get: Get, cast: Cast, **query: Any) -> Any:
    answer = get(address("analytics/guardrails", cast.project.pk, **query), person="bob")
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_a_recorded_day(cast: Cast, get: Get) -> None:
    give_recorded(cast.project, "litellm-1.106.2-mixed")

    # 8 requests and a health probe. Before the call: 8 runs of prompt-injection and 7 of content-filter, each blocked
    # once; after it: 5 of output-filter, one blocked. Two of the blocks were sent twice, and so was one run that
    # allowed. A rate limit of the provider (gpt-4o) failed a request, too.
    assert guardrails(get, cast) == {
        "total_requests": 8,
        "guardrail_applied": 8,
        "blocked_requests": 3,
        "block_rate": 37.5,
        "coverage": 100.0,
        "input_guardrail": {"checks": 15, "blocks": 2, "block_rate": 13.33},
        "output_guardrail": {"checks": 5, "blocks": 1, "block_rate": 20.0},
        "other_guardrail": {"checks": 0, "blocks": 0, "block_rate": 0.0},
        "token_usage": {"prompt": 41, "completion": 68, "total": 109},
        "avg_latency_ms": pytest.approx(0.0553088),
    }


def test_a_recorded_day_of_failures(cast: Cast, get: Get) -> None:
    give_recorded(cast.project, "litellm-1.106.2-failures")

    # 14 requests, one of which called no model, for a guardrail crashed: that is no block. Nor are the provider's 429
    # and its two 500, one of which a fallback made good.
    assert guardrails(get, cast) == {
        "total_requests": 14,
        "guardrail_applied": 14,
        "blocked_requests": 3,
        "block_rate": 21.43,
        "coverage": 100.0,
        "input_guardrail": {"checks": 36 + 2 + 1, "blocks": 2, "block_rate": 5.13},
        "output_guardrail": {"checks": 8 + 1, "blocks": 1, "block_rate": 11.11},
        "other_guardrail": {"checks": 0, "blocks": 0, "block_rate": 0.0},
        "token_usage": {"prompt": 236, "completion": 125, "total": 361},
        "avg_latency_ms": pytest.approx(1.572096 / 48),
    }


def test_a_guardrail_of_both_phases_is_input_first_and_output_then(cast: Cast, get: Get) -> None:
    both = "['pre_call', 'post_call']"
    store_trace(
        cast.project.pk,
        [
            Spanlet("root", 1, end=100),
            Spanlet("guardrail", 2, 1, 1, 3, attributes=run(both)),
            Spanlet("call", 3, 1, 3, 50, attributes=LLM),
            Spanlet("guardrail", 4, 1, 50, 54, attributes=run(both, "guardrail_intervened")),
        ],
        start_ns=START,
    )

    found = guardrails(get, cast)

    assert found["input_guardrail"] == {"checks": 1, "blocks": 0, "block_rate": 0}
    assert found["output_guardrail"] == {"checks": 1, "blocks": 1, "block_rate": 100}
    assert found["avg_latency_ms"] == 3
    assert found["blocked_requests"] == 1


@pytest.mark.parametrize(
    ("mode", "phase"),
    [
        ("pre_call", "input"),
        ("during_call", "input"),
        ("['pre_call', 'during_call']", "input"),
        ("post_call", "output"),
        ("logging_only", "other"),
        ("", "other"),
    ],
)
def test_modes_belong_to_phases(cast: Cast, get: Get, mode: str, phase: str) -> None:
    store_trace(cast.project.pk, [Spanlet("guardrail", attributes=run(mode))], start_ns=START)

    found = guardrails(get, cast)

    assert {name: found[f"{name}_guardrail"]["checks"] for name in ("input", "output", "other")} == {
        name: int(name == phase) for name in ("input", "output", "other")
    }


def test_agentops_guardrails_say_input_and_output(cast: Cast, get: Get) -> None:
    give_recorded(cast.project, "agentops-0.4.21-session")

    found = guardrails(get, cast)

    assert found["input_guardrail"] == {"checks": 2, "blocks": 1, "block_rate": 50}
    assert (found["total_requests"], found["blocked_requests"], found["block_rate"]) == (1, 1, 100)


def test_an_error_is_no_block(cast: Cast, get: Get) -> None:
    spanlets = [
        Spanlet("root", 1, status=2),
        Spanlet("guardrail", 2, 1, attributes=run("pre_call", "guardrail_failed_to_respond")),
        Spanlet("call", 3, 1, status=2, attributes=LLM),
    ]
    store_trace(cast.project.pk, spanlets, start_ns=START)

    found = guardrails(get, cast)

    assert (found["guardrail_applied"], found["blocked_requests"], found["block_rate"]) == (1, 0, 0)
    assert found["input_guardrail"]["blocks"] == 0


def test_housekeeping_of_the_proxy_is_no_guardrail(cast: Cast, get: Get) -> None:
    housekeeping: dict[str, Value] = {"service": "proxy_pre_call", "call_type": "add_litellm_data_to_request"}
    configured: dict[str, Value] = {**LLM, "metadata.applied_guardrails": "['pii']"}
    spanlets = [
        Spanlet("proxy_pre_call", 1, attributes=housekeeping),
        Spanlet("batch_write_to_db", 2, 1, attributes={"service": "batch_write_to_db"}),
        Spanlet("litellm_request", 3, 1, attributes=configured),
    ]
    store_trace(cast.project.pk, spanlets, start_ns=START)

    found = guardrails(get, cast)

    assert (found["total_requests"], found["guardrail_applied"], found["coverage"]) == (1, 0, 0)
    assert found["input_guardrail"]["checks"] == found["output_guardrail"]["checks"] == 0


def test_nothing_of_other_times(cast: Cast, get: Get) -> None:
    give_recorded(cast.project, "litellm-1.106.2-mixed")

    found = guardrails(get, cast, start_time="2026-11-23T09:00:00Z")

    assert (found["total_requests"], found["input_guardrail"]["checks"], found["avg_latency_ms"]) == (0, 0, 0)
