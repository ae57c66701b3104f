"""Every answer has the names and JSON types that the monitoring page's front end declares."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from agentops_portal.api.openapi.document import document
from tests.api.conftest import Get
from tests.cast import Cast
from tests.kept import give_recorded

from .stored import PREFIXES, address

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

TRACE = "da3ddb1b0c511473c4cfcfa4e671121b"  # of the agentops SDK: session, agent, tasks, tool, LLM call, guardrails
Number = (int, float)
RATE = {"checks": int, "blocks": int, "block_rate": Number}
AGENT = {
    "agent_id": str,
    "agent_name": str,
    "total_tokens": int,
    "total_cost": Number,
    "event_count": int,
    "avg_latency": Number,
    "error_count": int,
    "success_rate": Number,
}
NODE = {
    "span_id": str,
    "parent_span_id": str,
    "span_name": str,
    "start_time": Number,
    "end_time": Number,
    "duration": Number,
    "status": str,
    "children": list,
    "attributes": dict,
    "depth": int,
    "is_critical_path": bool,
}
SHAPES: dict[str, Any] = {
    "traces": {
        "traces": [
            {
                "trace_id": str,
                "service_name": str,
                "span_name": str,
                "start_time": str,
                "duration": Number,
                "span_count": int,
                "error_count": int,
                "total_cost": Number,
                "prompt_tokens": int,
                "completion_tokens": int,
                "tags": list,
            }
        ],
        "total": int,
        "page": int,
        "size": int,
    },
    f"traces/{TRACE}": {
        "trace_id": str,
        "project_id": str,
        "total_spans": int,
        "total_cost": Number,
        "spans": [
            {
                "trace_id": str,
                "span_id": str,
                "parent_span_id": str,
                "span_name": str,
                "span_kind": str,
                "service_name": str,
                "timestamp": str,
                "duration": Number,
                "status_code": str,
                "status_message": str,
                "span_attributes": dict,
                "resource_attributes": dict,
                "project_id": str,
            }
        ],
    },
    "metrics": {
        **dict.fromkeys(("trace_count", "span_count", "error_count", "llm_call_count", "agent_call_count"), int),
        **dict.fromkeys(("prompt_tokens", "completion_tokens", "cache_read_input_tokens", "reasoning_tokens"), int),
        **dict.fromkeys(("total_cost", "avg_duration", "p50_duration", "p95_duration", "p99_duration"), Number),
    },
    f"replay/{TRACE}": {
        "trace_id": str,
        "events": [
            {"timestamp": str, "relative_time": Number, "type": str, "span_id": str, "span_name": str, "data": dict}
        ],
        "timeline": [Number],
        "total_duration": Number,
        "start_time": Number,
    },
    f"timeline/{TRACE}": {
        "trace_id": str,
        "spans": [NODE],
        "total_duration": Number,
        "critical_path": [str],
        "start_time": Number,
        "end_time": Number,
    },
    "analytics/cost-trend": [{"timestamp": str, "cost": Number}],
    "analytics/token-usage": [
        {"timestamp": str, "prompt_tokens": int, "completion_tokens": int, "cache_hits": int},
    ],
    "analytics/performance": [{"timestamp": str, "duration": int, "status": str}],
    "analytics/performance-summary": {"trace_count": int, "histogram": [{"start": Number, "end": Number}]},
    "analytics/agent-flow": {
        "nodes": [
            {
                "id": str,
                "label": str,
                "type": str,
                "position": {"x": Number, "y": Number},
                "data": {
                    "stage_name": str,
                    "call_count": int,
                    "avg_latency_ms": Number,
                    "total_tokens": int,
                    "prompt_tokens": int,
                    "completion_tokens": int,
                    "total_cost": Number,
                    "error_count": int,
                    "guardrail_applied": int,
                    "color": str,
                    "is_guardrail": bool,
                },
            }
        ],
        "edges": [
            {"id": str, "source": str, "target": str, "animated": bool, "data": {"label": str, "blocked": bool}},
        ],
    },
    "analytics/guardrails": {
        **dict.fromkeys(("total_requests", "guardrail_applied", "blocked_requests"), int),
        "block_rate": Number,
        "input_guardrail": RATE,
        "output_guardrail": RATE,
        "token_usage": {"prompt": int, "completion": int, "total": int},
        "avg_latency_ms": Number,
    },
    "agents/usage": [AGENT],
    "agents/registry": [AGENT],
    "agents/Researcher/detail": {
        "agent_id": str,
        "metrics": {
            **dict.fromkeys(("trace_count", "span_count", "total_tokens", "error_count"), int),
            **dict.fromkeys(("total_cost", "avg_latency_ms", "p50_latency_ms", "p95_latency_ms"), Number),
            "success_rate": Number,
        },
        "traces": [
            {
                "trace_id": str,
                "span_name": str,
                "duration_ms": Number,
                "status": str,
                "timestamp": str,
                "agent_name": str,
            }
        ],
        "trend": [{"hour": str, "call_count": int, "error_count": int}],
    },
}


def faults(value: Any, shape: Any, where: str = "answer") -> Iterator[str]:
    """What of `value` does not have the shape: a type, a dict of required names, a list with at least one element."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            yield f"{where} is no object"
            return
        yield from (f"{where}.{name} is missing" for name in shape.keys() - value.keys())
        for name in shape.keys() & value.keys():
            yield from faults(value[name], shape[name], f"{where}.{name}")
    elif isinstance(shape, list):
        if not isinstance(value, list) or not value:
            yield f"{where} is no list, or empty"
            return
        for number, each in enumerate(value):
            yield from faults(each, shape[0], f"{where}[{number}]")
    elif not isinstance(value, shape) or (isinstance(value, bool) and shape is not bool):
        yield f"{where} is {value!r}"


@pytest.fixture
def recorded_agent(cast: Cast) -> None:
    give_recorded(cast.project, "agentops-0.4.21-session")


@pytest.mark.parametrize("path", SHAPES)
@pytest.mark.usefixtures("recorded_agent")
def test_an_answer_has_the_declared_shape_under_both_prefixes(cast: Cast, get: Get, path: str) -> None:
    answers = [get(address(path, cast.project.pk, prefix), person="bob") for prefix in PREFIXES]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert list(faults(answers[0].json(), SHAPES[path])) == []
    assert answers[0]["Cache-Control"].startswith("no-store")


@pytest.fixture(scope="module")
def openapi() -> Any:
    return json.loads(document().body)


def schema_of(openapi: Any, path: str, status: int) -> Any:
    """The JSON schema of an answer, with its references resolved below `$defs`."""
    wanted = f"/api/monitoring/{path}"
    named = next(each for each in openapi["paths"] if fits(each, wanted))
    body = openapi["paths"][named]["get"]["responses"][str(status)]["content"]["application/json"]["schema"]
    return {**body, "components": openapi["components"]}


def fits(template: str, path: str) -> bool:
    parts, wanted = template.split("/"), path.split("/")
    return len(parts) == len(wanted) and all(a == b or a.startswith("{") for a, b in zip(parts, wanted, strict=True))


@pytest.mark.parametrize("path", SHAPES)
@pytest.mark.usefixtures("recorded_agent")
def test_answers_fit_the_openapi_document(cast: Cast, get: Get, openapi: Any, path: str) -> None:
    asked = {
        200: get(address(path, cast.project.pk), person="bob"),
        401: get(address(path, cast.project.pk)),
        404: get(address(path, cast.foreign_project.pk), person="bob"),
    }
    for status, answer in asked.items():
        assert answer.status_code == status
        jsonschema.validate(answer.json(), schema_of(openapi, path, status))


@pytest.mark.parametrize("path", [path for path in SHAPES if TRACE not in path])
def test_an_empty_project_has_zeros_and_no_errors(cast: Cast, get: Get, openapi: Any, path: str) -> None:
    answer = get(address(path, cast.project.pk), person="bob")

    assert answer.status_code == 200
    jsonschema.validate(answer.json(), schema_of(openapi, path, 200))
    assert "NaN" not in answer.content.decode()
