"""A decision as a span of its trace, through the receiver's own door, so that runs, reports and traces show it.

Only of decisions whose client does not trace its guardrails. LiteLLM does: its own span is the run, and a second one
would count it twice. A span never is the root of somebody else's trace: without a known parent it hangs below an id
that nobody has.
"""

from typing import TYPE_CHECKING, Final
from uuid import UUID

import orjson
import re2
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from agentops_portal.units import NS_OF_MS
from projects.credentials import Credential
from traces.ingest.inbox.table import Entry
from traces.ingest.otlp.receiver import committer
from traces.ingest.otlp.request import PROTOBUF, read_request

from .models import Decision

if TYPE_CHECKING:
    from .deciding import Check

NAME: Final = "AgentOps Portal"
SERVICE: Final = "agentops-portal"
SECONDS: Final = 10.0
# As OpenLIT words what a guard did; traces/store/dialects/guards.py reads them.
_DONE: Final = {"allow": "allow", "flag": "flag", "mask": "mask", "block": "block"}
_TRACE: Final = re2.compile("[0-9a-f]{32}")
_SPAN: Final = re2.compile("[0-9a-f]{16}")


def send(decisions: list[tuple[Decision, "Check"]]) -> None:
    """Raises OtlpError."""
    by_key: dict[UUID, list[tuple[Decision, Check]]] = {}
    for decision, check in decisions:
        by_key.setdefault(check.credential.key_id, []).append((decision, check))
    waiting = [committer().submit(_entry(of_key[0][1].credential, of_key)) for of_key in by_key.values()]
    for each in waiting:
        each.result(timeout=SECONDS)


def _entry(credential: Credential, decisions: list[tuple[Decision, "Check"]]) -> Entry:
    spans = ScopeSpans(
        scope=InstrumentationScope(name="agentops_portal.guardrails"), spans=[span_of(*each) for each in decisions]
    )
    resource = Resource(attributes=[_attribute("service.name", SERVICE)])
    body = ExportTraceServiceRequest(
        resource_spans=[ResourceSpans(resource=resource, scope_spans=[spans])]
    ).SerializeToString()
    return Entry.of(credential, read_request(body, PROTOBUF, credential.project_id), len(body))


def span_of(decision: Decision, check: "Check") -> Span:
    start = int(decision.at.timestamp() * 1_000_000) * 1_000
    attributes = {
        "openinference.span.kind": "GUARDRAIL",
        "guardrail_name": NAME,
        "guardrail_mode": decision.phase,
        "guard.action": _DONE[decision.action],
        "portal.decision.id": str(decision.pk),
        "portal.decision.rules": orjson.dumps(decision.rules).decode(),
        "portal.decision.found": orjson.dumps(decision.entities).decode(),
    }
    named = {
        "portal.decision.reason": decision.reason,
        "portal.decision.would_have": decision.shadow_action,
        "litellm.call_id": decision.call_id,
    }
    attributes |= {name: value for name, value in named.items() if value}
    is_known = bool(_TRACE.fullmatch(decision.trace_id)) and any(bytes.fromhex(decision.trace_id))
    trace = bytes.fromhex(decision.trace_id) if is_known else decision.pk.bytes
    parent = bytes.fromhex(check.parent_id) if _SPAN.fullmatch(check.parent_id) else trace[:8] if is_known else b""
    return Span(
        trace_id=trace,
        span_id=decision.pk.bytes[:8],
        parent_span_id=parent,
        name="guardrail",
        kind=Span.SPAN_KIND_INTERNAL,
        start_time_unix_nano=start,
        end_time_unix_nano=start + max(1, decision.latency_us) * (NS_OF_MS // 1000),
        attributes=[_attribute(name, value) for name, value in attributes.items()],
    )


def _attribute(name: str, value: str) -> KeyValue:
    return KeyValue(key=name, value=AnyValue(string_value=value))
