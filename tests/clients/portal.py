"""A running portal for clients, and what it stored of what they sent."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from agentops_portal.clickhouse.client import get_client
from tests.inbox import wait_until_decoded

SPANS = """
SELECT TraceId, SpanId, ParentSpanId, SpanName, SpanKind, ServiceName, ScopeName, StatusCode, StatusMessage,
    Timestamp, end_timestamp, Duration, SpanAttributes, ResourceAttributes, `Events.Name`, `Events.Attributes`,
    `Links.TraceId`, project_id, span_type, is_llm_call, model, requested_model, input_tokens, output_tokens,
    total_tokens, reported_cost, session_id, user_id, agent_name, tool_name, guardrail_name, guardrail_mode,
    guardrail_outcome, http_status
FROM otel_traces WHERE project_id = {project:String} ORDER BY Timestamp
"""

Span = dict[str, Any]


@dataclass(frozen=True)
class Portal:
    """Base URLs of its two processes, and a project with a key."""

    web: str
    receiver: str
    grpc: str
    project_id: UUID
    key: str

    def spans(self) -> list[Span]:
        """What is stored of all that was acknowledged."""
        wait_until_decoded(self.project_id)
        result = get_client().query(SPANS, parameters={"project": str(self.project_id)})
        return list(result.named_results())

    def wait_for(self, enough: Callable[[list[Span]], bool], seconds: float = 20) -> list[Span]:
        """The project's spans once `enough` is true of them; exporters send in the background."""
        deadline = time.monotonic() + seconds
        while not enough(spans := self.spans()):
            assert time.monotonic() < deadline, f"only {len(spans)} spans: {sorted({s['SpanName'] for s in spans})}"
            time.sleep(0.1)
        return spans
