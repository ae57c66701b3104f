"""A project whose guardrails ran on the last days: often, seldom, and one whose name is hard to hold."""

import time
from functools import cache
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.pages.spans import Spanlet, request_of
from tests.reports.world import call

DAY_NS = 24 * 3_600 * 10**9
NOW_NS = time.time_ns() - 120 * 10**9
BUSY, RARE, ODD = "busy", "rare", "od\0d " + "long " * 100
WORDS = {"blocked": "guardrail_intervened", "allowed": "success", "flagged": "guardrail_flagged"}
PROMPT = "How do I reset <b>the</b> router?"


def run(name: str, outcome: str, number: int = 2, mode: str = "pre_call", **more: str) -> Spanlet:
    attributes = {"guardrail_name": name, "guardrail_mode": mode, "guardrail_status": WORDS[outcome], **more}
    return Spanlet("guardrail", id=number, parent=1, start=number, end=number + 5, attributes=attributes)


@cache
def guarded() -> ExportTraceServiceRequest:
    """200 runs of BUSY in a day, of which 10 blocked and 190 let pass; 4 of RARE, one a day; one of ODD, a block."""
    traces: dict[int, list[Spanlet]] = {}
    starts: dict[int, int] = {}
    for number in range(1, 201):
        outcome = "blocked" if number % 20 == 0 else "allowed"
        traces[number] = [Spanlet("request", end=500), run(BUSY, outcome)]
        starts[number] = NOW_NS - number * 10**9
    for day in range(4):
        traces[300 + day] = [Spanlet("request", end=500), run(RARE, "flagged", guardrail_response="doubtful")]
        starts[300 + day] = NOW_NS - day * DAY_NS
    prompt: dict[str, Any] = {"gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": PROMPT}
    traces[400] = [Spanlet("request", end=500), run(ODD, "blocked"), call("gpt-4o", **prompt)]
    starts[400] = NOW_NS
    return request_of(traces, starts)
