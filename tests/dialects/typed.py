"""The typed columns of a span as tests expect them: what is not named has the value of a span that says nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from agentops_portal.clickhouse.client import get_client
from tests.receiver import PAYLOADS, Receiver, Tenant

BODIES = Path(__file__).parent / "bodies"


@dataclass(frozen=True, kw_only=True)
class Typed:
    span_type: str = "other"
    is_llm_call: bool = False
    model: str = ""
    requested_model: str = ""
    provider: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cached_input_tokens: int = 0
    reasoning_tokens: int = 0
    total_tokens: int = 0
    reported_cost: Decimal | None = None
    cache_hit: bool = False
    session_id: str = ""
    user_id: str = ""
    agent_name: str = ""
    tool_name: str = ""
    guardrail_name: str = ""
    guardrail_mode: str = ""
    guardrail_outcome: str = ""


COLUMNS = [field.name for field in fields(Typed)]


def llm(span_type: str = "llm", **values: Any) -> Typed:
    """A model invocation."""
    return replace(Typed(span_type=span_type, is_llm_call=True), **values)


def guardrail(name: str, mode: str, outcome: str) -> Typed:
    """A guardrail run."""
    return Typed(span_type="guardrail", guardrail_name=name, guardrail_mode=mode, guardrail_outcome=outcome)


def usd(amount: str) -> Decimal:
    """A cost as the column holds it, to 12 digits."""
    return Decimal(amount).quantize(Decimal("1e-12"))


def received(name: str, otlp: Receiver, tenant: Tenant) -> dict[str, Typed]:
    """Send a body of tests/dialects/bodies or tests/payloads to the receiver; gives its spans by id."""
    written = BODIES / f"{name}.json"
    if written.exists():
        answer = otlp.post(written.read_bytes(), tenant.key, content_type="application/json")
    else:
        answer = otlp.post((PAYLOADS / f"{name}.pb").read_bytes(), tenant.key)
    assert answer.status_code == 200, answer.text
    return stored(tenant.project_id)


def stored(project_id: UUID) -> dict[str, Typed]:
    """Span id → typed columns of all spans of a project."""
    result = get_client().query(
        f"SELECT SpanId, {', '.join(COLUMNS)} FROM otel_traces WHERE project_id = {{project:String}} ORDER BY SpanId",
        parameters={"project": str(project_id)},
    )
    return {span_id: Typed(**dict(zip(COLUMNS, values, strict=True))) for span_id, *values in result.result_rows}


def names(project_id: UUID) -> dict[str, str]:
    """Span id → span name of all spans of a project."""
    result = get_client().query(
        "SELECT SpanId, SpanName FROM otel_traces WHERE project_id = {project:String}",
        parameters={"project": str(project_id)},
    )
    return {str(span_id): str(name) for span_id, name in result.result_rows}


def assert_typed(found: Mapping[str, Typed], expected: Mapping[str, Typed]) -> None:
    """Every span has the values of the table; the message names the columns that have not."""
    assert set(found) == set(expected), set(found) ^ set(expected)
    wrong = [
        f"{span_id} {column}: {getattr(found[span_id], column)!r}, should be {getattr(values, column)!r}"
        for span_id, values in expected.items()
        for column in COLUMNS
        if getattr(found[span_id], column) != getattr(values, column)
    ]
    assert not wrong, "\n".join(wrong)
