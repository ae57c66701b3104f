"""What can happen to a call through the LiteLLM proxy: one function each, which writes the whole trace.

Each takes the start (nanoseconds) and returns the end of the request.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from .catalogue import Cost
from .litellm_attributes import (
    Answer,
    Call,
    Failure,
    completion_json,
    raw_attributes,
    request_attributes,
    without_owner,
)
from .litellm_guardrails import Run, check_answer
from .litellm_proxy import ProxyRequest
from .otlp import ERROR, MILLISECOND, OK, SECOND, exception
from .recorder import Recorder

CHOOSE = "async_get_available_deployment"
HTTP_CALL = "make_openai_chat_completion_request <- track_llm_api_timing"


@dataclass(frozen=True)
class Attempt:
    """One try at a model, of `duration` nanoseconds: with an answer, or with a failure."""

    call: Call
    duration: int
    outcome: Answer | Failure


def completed(recorder: Recorder, start: int, attempts: Sequence[Attempt], checks: Sequence[Run]) -> int:
    """A call that passed its guardrails. The last attempt decides: HTTP 200, or the provider's error."""
    first, last = attempts[0], attempts[-1]
    proxy, checked_from = _open(recorder, start, first.call)
    routed = _end_of(checks, checked_from) + recorder.milliseconds(0.8, 2)
    clock = routed
    tried: list[Span] = []
    for attempt in attempts:
        proxy.work("router", CHOOSE, clock, clock + recorder.milliseconds(0.2, 0.4))
        # A stream's span is opened when the request comes in, not when it is sent on.
        began = (
            proxy.parsed if attempt.call.streaming and isinstance(attempt.outcome, Answer) else clock + MILLISECOND // 2
        )
        end = clock + attempt.duration
        tried.append(_emit_attempt(proxy, attempt, began, end))
        clock = end + recorder.milliseconds(0.5, 4)
    team = first.call.caller.team_attributes
    proxy.guardrails(checks, checked_from, tried[0], team)
    if isinstance(last.outcome, Failure):
        proxy.guardrails([run for run in checks if run.is_sent_twice_on_failure], checked_from, proxy.received, team)
        return proxy.fail(clock, last.outcome, team)
    streamed_from = routed + last.duration // 4 if last.call.streaming else None
    proxy.work("router", "acompletion", routed, streamed_from or clock)
    check = check_answer(recorder, completion_json(last.call, last.outcome, start // SECOND))
    proxy.guardrails([check], clock, proxy.received if len(attempts) > 1 else tried[0], team)
    return proxy.answer(clock + check.duration + MILLISECOND // 2, streamed_from)


def blocked(recorder: Recorder, start: int, call: Call, checks: Sequence[Run], failure: Failure) -> int:
    """A call that the last of `checks` refused before any model was asked."""
    proxy, checked_from = _open(recorder, start, call)
    end = _end_of(checks, checked_from)
    request = _emit_refused(proxy, call, end, failure)
    team = call.caller.team_attributes
    proxy.guardrails(checks, checked_from, request, team)
    proxy.guardrails([run for run in checks if run.is_sent_twice_on_failure], checked_from, proxy.received, team)
    return proxy.fail(end + recorder.milliseconds(3, 8), failure, team)


def answer_blocked(
    recorder: Recorder, start: int, call: Call, took: int, paid: Cost, checks: Sequence[Run], failure: Failure
) -> int:
    """A call whose answer the guardrail after it refused: it cost `paid` and took so long, but has no tokens."""
    proxy, checked_from = _open(recorder, start, call)
    routed = _end_of(checks, checked_from) + MILLISECOND
    proxy.work("router", CHOOSE, routed, routed + recorder.milliseconds(0.2, 0.4))
    end = routed + took
    proxy.work("router", "acompletion", routed, end)
    check = check_answer(recorder, None)
    request = _emit_refused(proxy, call, end + check.duration, failure, paid)
    recorder.count_call(call.model, None, cost=paid)
    team = call.caller.team_attributes
    twice = [run for run in checks if run.is_sent_twice_on_failure]
    for parent, before in ((request, checks), (proxy.received, twice)):
        proxy.guardrails(before, checked_from, parent, team)
        proxy.guardrails([check], end, parent, team)
    return proxy.fail(end + recorder.milliseconds(3, 8), failure, team)


def broken(recorder: Recorder, start: int, call: Call, checks: Sequence[Run], failure: Failure) -> int:
    """A call whose guardrail broke down: LiteLLM sends no `litellm_request` for it."""
    proxy, checked_from = _open(recorder, start, call)
    team = call.caller.team_attributes
    proxy.guardrails(checks, checked_from, proxy.received, team)
    return proxy.fail(_end_of(checks, checked_from) + recorder.milliseconds(3, 8), failure, team)


def refused(recorder: Recorder, start: int, call: Call, failure: Failure) -> int:
    """A call with a key that is not valid: no model is asked, no guardrail runs, nobody knows whose it is."""
    proxy = ProxyRequest(recorder, start, "POST", call.route, call.function)
    proxy.receive(call.route)
    attributes = without_owner(request_attributes(call, proxy.trace.hex_id, None, failure))
    return proxy.refuse(start + recorder.milliseconds(9, 16), failure, attributes)


def probed(recorder: Recorder, start: int) -> int:
    """A liveness probe."""
    function = "litellm.proxy.health_endpoints._health_endpoints.health_liveliness"
    proxy = ProxyRequest(recorder, start, "GET", "/health/liveliness", function)
    return proxy.answer_probe(proxy.parsed + recorder.milliseconds(1, 3))


def _open(recorder: Recorder, start: int, call: Call) -> tuple[ProxyRequest, int]:
    """The request up to its guardrails, and when the first of them starts."""
    recorder.tally.sessions.add(call.caller.session)
    recorder.tally.users.add(call.caller.user)
    proxy = ProxyRequest(recorder, start, "POST", call.route, call.function)
    proxy.receive(call.route)
    received = proxy.received.start_time_unix_nano
    proxy.work("auth", call.route, received, received + recorder.milliseconds(0.4, 1))
    prepared = proxy.parsed + MILLISECOND // 2
    proxy.work("proxy_pre_call", "add_litellm_data_to_request", prepared, prepared + MILLISECOND // 10)
    return proxy, prepared + MILLISECOND // 2


def _emit_attempt(proxy: ProxyRequest, attempt: Attempt, start: int, end: int) -> Span:
    call = attempt.call
    answer, failure = (None, attempt.outcome) if isinstance(attempt.outcome, Failure) else (attempt.outcome, None)
    attributes = request_attributes(call, proxy.trace.hex_id, answer, failure)
    events = [exception(end, failure.qualified, failure.message)] if failure else []
    request = proxy.add("litellm_request", start, end, proxy.received, attributes, ERROR if failure else OK, events)
    if answer is None:
        proxy.work("self", HTTP_CALL, start + MILLISECOND, end - MILLISECOND // 2)
        proxy.recorder.count_call(call.model, None)
        return request
    if not answer.cache_key:
        proxy.work("self", HTTP_CALL, start + MILLISECOND, end - MILLISECOND // 2)
    proxy.add("raw_gen_ai_request", start, end, request, raw_attributes(call, answer, start // SECOND), OK)
    hit = answer.cache_key is not None
    proxy.recorder.count_call(call.model, answer.usage, cost=answer.cost, cache_hit=hit)
    return request


def _emit_refused(proxy: ProxyRequest, call: Call, end: int, failure: Failure, paid: Cost | None = None) -> Span:
    attributes = request_attributes(call, proxy.trace.hex_id, None, failure, paid)
    raised = exception(end, failure.qualified, failure.message)
    return proxy.add("litellm_request", proxy.parsed, end, proxy.received, attributes, ERROR, [raised])


def _end_of(runs: Sequence[Run], start: int) -> int:
    return start + max((run.offset + run.duration for run in runs), default=0)
