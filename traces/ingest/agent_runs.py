"""Runs of registered agents: kept in PostgreSQL from start to end, then stored as a span, the way all spans go.

The process that ends a run need not be the one that started it.
"""

import secrets
import time
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from asgiref.sync import async_to_sync
from django.db import transaction
from django.utils import timezone
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from projects.credentials import Credential
from traces.ingest.otlp.receiver import receive
from traces.ingest.otlp.request import PROTOBUF

from .agents import Agent, AgentRun

SCOPE_NAME = "agentops-portal.agents"
NOBODYS_KEY = UUID(int=0)  # of a person with a session: no receipt is written for it


class NotMonitored(Exception):
    """The agent is inactive or its monitoring is off; str() says which."""


@transaction.atomic
def start_run(agent: Agent, inputs: Any, tags: list[str]) -> AgentRun:
    """Begin a run now. `inputs` is any JSON value, kept whole. Raises NotMonitored."""
    if not agent.monitoring_enabled:
        raise NotMonitored(f"Monitoring is disabled for agent: {agent.name}")
    if agent.status != "active":
        raise NotMonitored(f"Agent is inactive: {agent.name}")
    Agent.objects.filter(pk=agent.pk).update(last_used_at=timezone.now())
    return AgentRun.objects.create(
        agent=agent,
        trace_id=secrets.token_hex(16),
        span_id=secrets.token_hex(8),
        inputs="" if inputs is None else orjson.dumps(inputs).decode(),
        tags=tags,
        start_ns=time.time_ns(),
    )


def end_run(
    run: AgentRun, credential: Credential | None, *, outputs: Any, error: str, cost: Decimal, tokens: int
) -> AgentRun:
    """Store the run as a span and forget what only the span needs. Ending it again changes nothing.

    Returns when the span is safe. Raises OtlpError when it cannot be stored; the run is then still open, and the same
    request sent again stores the same span, which is known by its bytes.
    """
    AgentRun.objects.filter(pk=run.pk, end_ns=None).update(end_ns=max(time.time_ns(), run.start_ns))
    run.refresh_from_db()
    if run.stored_at is not None:
        return run
    request = _request(run, outputs=outputs, error=error, cost=cost, tokens=tokens)
    sender = credential or Credential(run.agent.project_id, NOBODYS_KEY, frozenset({"ingest"}))
    async_to_sync(receive)(sender, request.SerializeToString(deterministic=True), PROTOBUF, "")
    AgentRun.objects.filter(pk=run.pk).update(
        stored_at=timezone.now(), inputs="", failed=bool(error), cost=cost, tokens=tokens
    )
    run.refresh_from_db()
    return run


def _request(run: AgentRun, *, outputs: Any, error: str, cost: Decimal, tokens: int) -> ExportTraceServiceRequest:
    agent = run.agent
    attributes: dict[str, str | int | float] = {
        "agentops.span.kind": "agent",
        "agent.id": str(agent.pk),
        "agent.name": agent.name,
        "agent.type": agent.type,
        "metadata.agent_id": str(agent.pk),
        "metadata.agent_name": agent.name,
    }
    if run.inputs:
        attributes["agent.inputs"] = _readable(run.inputs)
    if outputs is not None:
        attributes["agent.outputs"] = _readable(orjson.dumps(outputs).decode())
    if run.tags:
        attributes["agentops.tags"] = orjson.dumps(run.tags).decode()
    if cost:
        attributes["gen_ai.usage.total_cost"] = float(cost)
    if tokens:
        attributes["gen_ai.usage.total_tokens"] = tokens
    if error:
        attributes["error.message"] = error
    code = Status.STATUS_CODE_ERROR if error else Status.STATUS_CODE_OK
    span = Span(
        trace_id=bytes.fromhex(run.trace_id),
        span_id=bytes.fromhex(run.span_id),
        name=f"{agent.name}.execution",
        kind=Span.SPAN_KIND_INTERNAL,
        start_time_unix_nano=run.start_ns,
        end_time_unix_nano=run.end_ns or run.start_ns,
        attributes=_attributes(attributes),
        status=Status(code=code, message=error),
    )
    scope_spans = ScopeSpans(spans=[span])
    scope_spans.scope.name = SCOPE_NAME
    resource = Resource(attributes=_attributes({"service.name": f"agent-{agent.type}"}))
    return ExportTraceServiceRequest(resource_spans=[ResourceSpans(resource=resource, scope_spans=[scope_spans])])


def _readable(json_text: str) -> str:
    """A text as it is, all else as JSON."""
    value = orjson.loads(json_text)
    return value if isinstance(value, str) else json_text


def _attributes(values: dict[str, Any]) -> list[KeyValue]:
    return [KeyValue(key=key, value=_value(value)) for key, value in values.items()]


def _value(value: str | int | float) -> AnyValue:
    if isinstance(value, str):
        return AnyValue(string_value=value)
    return AnyValue(int_value=value) if isinstance(value, int) else AnyValue(double_value=value)
