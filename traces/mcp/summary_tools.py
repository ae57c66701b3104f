"""usage_summary and guardrail_summary: sums over a time range, from what the pages read."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal, Self
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils import timezone
from pydantic import BaseModel, Field

from agentops_portal import formats
from agentops_portal.clickhouse.gate import Scope
from agentops_portal.fields import timezone_names
from agentops_portal.formats import cut
from traces.store.dialects.base import GUARDRAIL_OUTCOMES
from traces.store.queries import guardrails, usage
from traces.store.queries.requests import Requests, requests_over_time, requests_total

from .ranges import RangeParameters
from .results import Cost, Latency, TimeRange, Tokens, cost_text, counted, moment, rounded_ms
from .tool import Answer, Fault, Text, Tool
from .trace_tools import MAX_NAME

MAX_GROUPS = 50
MAX_STEPS = 200
QUARTER = timedelta(minutes=15)


class UsageParameters(RangeParameters):
    group_by: Literal["none", "model", "provider", "service", "agent"] = Field(
        "model", description="What to sum up by."
    )
    step: Literal["none", "hour", "day"] = Field("none", description="Sums over time too, empty steps included.")
    timezone: Text = Field("UTC", description="In which hours and days begin, such as Asia/Seoul.")

    def zone(self) -> ZoneInfo:
        if self.timezone not in timezone_names():
            raise Fault("timezone: There is no such time zone. Write a name such as Asia/Seoul or UTC.")
        return ZoneInfo(self.timezone)


class UsageFigures(BaseModel):
    llm_calls: int
    failed_calls: int
    cache_hits: int
    tokens: Tokens
    cost: Cost
    latency: Latency | None = Field(description="Of LLM calls that did not fail; null when there were none.")

    @classmethod
    def of(cls, used: usage.Usage, **others: Any) -> Self:
        return cls(
            llm_calls=used.calls,
            failed_calls=used.failed_calls,
            cache_hits=used.cache_hits,
            tokens=Tokens(
                input=used.input_tokens,
                output=used.output_tokens,
                cached_input=used.cached_input_tokens,
                reasoning=used.reasoning_tokens,
                total=used.total_tokens,
            ),
            cost=Cost.of(used.cost),
            latency=_latency(used.latency),
            **others,
        )


class AllFigures(UsageFigures):
    requests: int = Field(description="Traces, as search_traces counts them.")
    failed_requests: int = Field(description="Traces with status error.")
    request_latency: Latency | None = Field(description="From first start to last end; null without any.")

    @classmethod
    def of_all(cls, used: usage.Usage, made: Requests) -> Self:
        return cls.of(
            used,
            requests=made.requests,
            failed_requests=made.failed_requests,
            request_latency=_latency(made.request_latency),
        )


class UsageGroup(BaseModel):
    name: str = Field(description="Empty: what names none.")
    usage: UsageFigures


class UsageStep(BaseModel):
    start: datetime
    usage: AllFigures


class UsageSummary(BaseModel):
    range: TimeRange = Field(description="What was asked, widened to whole quarters of an hour: so it is counted.")
    total: AllFigures
    groups: list[UsageGroup] = Field(description="The most called first.")
    groups_left_out: int = Field(description=f"Beyond {usage.MOST} groups they are not counted.")
    steps: list[UsageStep]


def usage_summary(project_id: UUID, wanted: UsageParameters) -> Answer:
    scope = _in_quarters(wanted.scope(project_id))
    total, requests = usage.usage_total(scope), requests_total(scope)
    groups = {} if wanted.group_by == "none" else usage.usage_by(scope, wanted.group_by)
    shown = list(groups.items())[:MAX_GROUPS]
    steps = _steps(scope, wanted)
    summary = UsageSummary(
        range=TimeRange.of(scope),
        total=AllFigures.of_all(total, requests),
        groups=[UsageGroup(name=cut(name, MAX_NAME), usage=UsageFigures.of(used)) for name, used in shown],
        groups_left_out=len(groups) - len(shown),
        steps=[UsageStep(start=start, usage=AllFigures.of_all(*used)) for start, used in steps.items()],
    )
    lines = [f"{summary.range}: {_usage_text(total, requests)}."]
    lines += [f"{wanted.group_by} {cut(name, 80)!r}: {_usage_text(used)}" for name, used in shown]
    lines += [f"{start.isoformat(timespec='minutes')}: {_usage_text(*used)}" for start, used in steps.items()]
    return Answer(summary, "\n".join(lines))


def _in_quarters(scope: Scope) -> Scope:
    """The whole quarters of an hour that the scope touches."""
    before = timedelta(seconds=scope.start.timestamp() % QUARTER.total_seconds())
    after = timedelta(seconds=-scope.end.timestamp() % QUARTER.total_seconds())
    return replace(scope, start=scope.start - before, end=scope.end + after)


def _steps(scope: Scope, wanted: UsageParameters) -> dict[datetime, tuple[usage.Usage, Requests]]:
    zone = wanted.zone()
    if wanted.step == "none":
        return {}
    if (scope.end - scope.start) / timedelta(hours=1 if wanted.step == "hour" else 24) > MAX_STEPS:
        raise Fault(f"step: This range has more than {MAX_STEPS} steps: choose a longer step or a shorter range.")
    requests = requests_over_time(scope, wanted.step, zone)
    steps = {start: (used, requests[start]) for start, used in usage.usage_over_time(scope, wanted.step, zone).items()}
    # A range without an end goes on a little after now: not with empty steps.
    until = wanted.end or timezone.now()
    return {
        start: (used, made) for start, (used, made) in steps.items() if start <= until or used.calls or made.requests
    }


def _latency(latency: usage.Latency | None) -> Latency | None:
    if latency is None:
        return None
    return Latency(p50_ms=rounded_ms(latency.p50), p95_ms=rounded_ms(latency.p95), p99_ms=rounded_ms(latency.p99))


def _usage_text(used: usage.Usage, made: Requests | None = None) -> str:
    facts = [counted(used.calls, "LLM call")]
    if used.failed_calls:
        facts.append(f"{formats.count(used.failed_calls)} failed")
    facts += [counted(used.total_tokens, "token"), cost_text(used.cost)]
    if used.latency:
        p50, p95 = (formats.duration(round(value)) for value in (used.latency.p50, used.latency.p95))
        facts.append(f"p50 {p50}, p95 {p95}")
    if made and made.requests:
        facts.append(f"{counted(made.requests, 'request')}, {formats.count(made.failed_requests)} failed")
    return ", ".join(facts)


class GuardrailParameters(RangeParameters):
    outcomes: list[Literal["allowed", "masked", "flagged", "blocked", "failed", "unknown"]] = Field(
        ["masked", "flagged", "blocked", "failed"],
        max_length=len(GUARDRAIL_OUTCOMES),
        description="Which single runs to list. The sums count all.",
    )
    limit: int = Field(20, ge=0, le=100, description="Single runs in the answer.")


class GuardrailSums(BaseModel):
    guardrail: str
    mode: str = Field(description="When it runs, such as pre_call.")
    runs: int
    allowed: int
    masked: int
    flagged: int
    blocked: int
    failed: int = Field(description="The guardrail itself gave no answer: an error is not a block.")
    unknown: int = Field(description="Nobody told what came of it.")
    block_rate: float = Field(description="blocked ÷ runs.")
    p50_ms: float
    p95_ms: float


class GuardrailRun(BaseModel):
    trace_id: str
    span_id: str
    guardrail: str
    mode: str
    outcome: str
    start: datetime
    duration_ms: float
    service: str
    models: list[str]
    user_id: str


class GuardrailSummary(BaseModel):
    range: TimeRange
    guardrails: list[GuardrailSums] = Field(description="The most blocks first.")
    guardrails_left_out: int
    traces_with_calls: int = Field(description="Traces with an LLM call.")
    traces_with_runs: int = Field(description="Traces with a guardrail run.")
    blocked_traces: int = Field(description="Traces with a block.")
    coverage: float | None = Field(description="Traces with an LLM call and a run ÷ traces with an LLM call.")
    trace_block_rate: float | None = Field(description="Traces with a block ÷ traces with a run.")
    runs: list[GuardrailRun] = Field(description="Single runs with one of `outcomes`, the newest first.")


def guardrail_summary(project_id: UUID, wanted: GuardrailParameters) -> Answer:
    scope = wanted.scope(project_id)
    uses = guardrails.guardrail_use(scope)
    traces = guardrails.guarded_traces(scope)
    runs = guardrails.guardrail_runs(scope, wanted.limit, outcomes=wanted.outcomes) if wanted.limit else []
    summary = GuardrailSummary(
        range=TimeRange.of(scope),
        guardrails=[_sums(use) for use in uses[:MAX_GROUPS]],
        guardrails_left_out=max(len(uses) - MAX_GROUPS, 0),
        traces_with_calls=traces.with_calls,
        traces_with_runs=traces.with_runs,
        blocked_traces=traces.with_blocks,
        coverage=traces.coverage,
        trace_block_rate=traces.block_rate,
        runs=[_run(run) for run in runs],
    )
    coverage = "" if traces.coverage is None else f" ({traces.coverage:.0%} coverage)"
    lines = [
        f"{summary.range}: {counted(traces.with_calls, 'trace')} with LLM calls, {formats.count(traces.with_runs)} "
        f"with guardrail runs{coverage}, {formats.count(traces.with_blocks)} blocked."
    ]
    lines += [_use_text(use) for use in uses[:MAX_GROUPS]]
    lines += [
        f"{run.start.isoformat(timespec='milliseconds')} {run.outcome} by {run.guardrail!r} {run.mode}: "
        f"trace_id={run.trace_id} span_id={run.span_id}"
        for run in summary.runs
    ]
    return Answer(summary, "\n".join(lines))


def _sums(use: guardrails.GuardrailUse) -> GuardrailSums:
    return GuardrailSums(
        guardrail=cut(use.guardrail, MAX_NAME),
        mode=cut(use.mode, MAX_NAME),
        runs=use.runs,
        allowed=use.allowed,
        masked=use.masked,
        flagged=use.flagged,
        blocked=use.blocked,
        failed=use.failed,
        unknown=use.unknown,
        block_rate=use.block_rate,
        p50_ms=rounded_ms(use.p50_ns),
        p95_ms=rounded_ms(use.p95_ns),
    )


def _run(run: guardrails.GuardrailRun) -> GuardrailRun:
    return GuardrailRun(
        trace_id=run.trace_id,
        span_id=run.span_id,
        guardrail=cut(run.guardrail, MAX_NAME),
        mode=cut(run.mode, MAX_NAME),
        outcome=run.outcome,
        start=moment(run.start_ns),
        duration_ms=rounded_ms(run.duration_ns),
        service=cut(run.service, MAX_NAME),
        models=[cut(name, MAX_NAME) for name in run.models[:20]],
        user_id=cut(run.user_id, MAX_NAME),
    )


def _use_text(use: guardrails.GuardrailUse) -> str:
    outcomes = ", ".join(f"{getattr(use, name)} {name}" for name in GUARDRAIL_OUTCOMES if getattr(use, name))
    return f"{cut(use.guardrail, 80)!r} {use.mode}: {counted(use.runs, 'run')} ({outcomes})"


USAGE_SUMMARY = Tool(
    "usage_summary",
    "Usage summary",
    "LLM calls, tokens, cost, latency and failures of the project in a time range: in all, by model, provider, service "
    "or agent, and on request by hour or day.",
    UsageParameters,
    UsageSummary,
    usage_summary,
)
GUARDRAIL_SUMMARY = Tool(
    "guardrail_summary",
    "Guardrail summary",
    "What guardrails did in a time range: runs, blocks, masks, flags and failures of each, how many traces they cover, "
    "and the newest runs that did not simply allow, with trace and span ids.",
    GuardrailParameters,
    GuardrailSummary,
    guardrail_summary,
)
