"""Who called whom in one or many traces: stages (agents, tools, models, guardrails …) and the calls between them.

A span belongs to a stage by its type and name. Spans of frameworks and of HTTP are no stage: what they call is called
by the nearest stage above them. Exceptions: the root of a trace is the stage "Client Request", and the first span of
another service a stage of that service.

A call that was sent twice counts once (traces/store/figures.py). A model checks nothing: a guardrail whose span lies
below an LLM call, as LiteLLM writes it, was run by whoever made that call.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Literal, get_args

from traces.store.guard import shown_or
from traces.store.queries.flow_spans import FlowSpan

from .tree import Node, span_tree

Kind = Literal["client", "service", "workflow", "task", "agent", "tool", "retriever", "llm", "guardrail"]
KINDS: Mapping[str, Kind] = {
    "session": "workflow",
    "workflow": "workflow",
    "task": "task",
    "chain": "task",
    "agent": "agent",
    "tool": "tool",
    "retriever": "retriever",
    "llm": "llm",
    "embedding": "llm",
    "guardrail": "guardrail",
}
MAX_STAGES = 60  # what a picture can hold; the rest is one stage for each kind


@dataclass(frozen=True)
class Stage:
    kind: Kind
    name: str


CLIENT = Stage("client", "Client Request")


@dataclass
class StageFigures:
    """Sums over the calls of a stage."""

    calls: int = 0
    errors: int = 0
    duration_ns: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    total_tokens: int = 0
    cost: Decimal = Decimal(0)
    unknown_cost_calls: int = 0
    is_entry: bool = False  # nobody calls it in at least one trace

    @property
    def average_ns(self) -> float:
        return self.duration_ns / self.calls if self.calls else 0.0


@dataclass
class Calls:
    """From one stage to another."""

    calls: int = 0
    blocked: int = 0  # guardrail runs that stopped what they looked at


@dataclass
class AgentFlow:
    stages: dict[Stage, StageFigures] = field(default_factory=lambda: defaultdict(StageFigures))
    calls: dict[tuple[Stage, Stage], Calls] = field(default_factory=lambda: defaultdict(Calls))

    def guardrail_runs(self, stage: Stage) -> int:
        """How many guardrail runs a stage started, or, of a guardrail, was."""
        if stage.kind == "guardrail":
            return self.stages[stage].calls
        return sum(each.calls for (source, target), each in self.calls.items() if _guards(source, target, stage))


def _guards(source: Stage, target: Stage, stage: Stage) -> bool:
    return source == stage and target.kind == "guardrail"


def agent_flow(traces: Iterable[Sequence[FlowSpan]]) -> AgentFlow:
    """The flow through traces, each of them in the order of its spans' starts."""
    flow = AgentFlow()
    for spans in traces:
        # Of a trace that fails in its middle, what was added is true all the same.
        shown_or(lambda reason: None, partial(_add, flow, spans), where="agent flow")
    return _folded(flow)


def _add(flow: AgentFlow, spans: Sequence[FlowSpan]) -> None:
    _add_trace(flow, span_tree(spans))


def _add_trace(flow: AgentFlow, nodes: Sequence[Node[FlowSpan]]) -> None:
    counted: set[tuple[object, ...]] = set()
    # Along the path to the node before: the stage that calls what comes below, and the one that runs guardrails.
    path: list[tuple[Stage | None, Stage | None, str]] = []
    for position, node in enumerate(nodes):
        del path[node.depth :]
        caller, guard_caller, service = path[-1] if path else (None, None, node.span.service)
        is_root = node.depth == 0 and (position == 0 or not node.is_orphan)
        stage = _stage_of(node.span, is_root, service)
        if stage is not None:
            identity = _identity(node.span)
            if identity not in counted:
                counted.add(identity)
                _add_call(flow, node.span, stage, guard_caller if stage.kind == "guardrail" else caller)
            caller = stage
            guard_caller = guard_caller if stage.kind == "llm" and guard_caller else stage
        path.append((caller, guard_caller, node.span.service))


def _stage_of(span: FlowSpan, is_root: bool, service_above: str) -> Stage | None:
    kind = KINDS.get(span.type)
    if kind is None or (kind == "guardrail" and not span.guardrail_outcome):
        if is_root:
            return CLIENT
        return Stage("service", span.service) if span.service and span.service != service_above else None
    name = {"agent": span.agent_name, "tool": span.tool_name, "llm": span.model, "guardrail": _guardrail(span)}
    return Stage(kind, name.get(kind, "") or span.name)


def _guardrail(span: FlowSpan) -> str:
    return f"{span.guardrail_name} ({span.guardrail_mode})" if span.guardrail_mode else span.guardrail_name


def _identity(span: FlowSpan) -> tuple[object, ...]:
    """What makes two spans the same guardrail run, or the same failed LLM call; else each span is one call."""
    if span.type == "guardrail" and span.guardrail_outcome:
        return (span.guardrail_name, span.guardrail_mode, span.start_ns, span.end_ns)
    if span.type in ("llm", "embedding") and span.status == "Error":
        return (span.parent_span_id, span.start_ns, span.model)
    return (id(span),)


def _add_call(flow: AgentFlow, span: FlowSpan, stage: Stage, caller: Stage | None) -> None:
    figures = flow.stages[stage]
    figures.calls += 1
    figures.errors += span.status == "Error"
    figures.duration_ns += max(span.end_ns - span.start_ns, 0)
    figures.input_tokens += span.used_input
    figures.output_tokens += span.used_output
    figures.total_tokens += span.used_tokens
    figures.cost += span.cost or 0
    figures.unknown_cost_calls += span.is_cost_unknown
    if caller is None:
        figures.is_entry = True
    else:
        calls = flow.calls[caller, stage]
        calls.calls += 1
        calls.blocked += span.guardrail_outcome == "blocked"


def _folded(flow: AgentFlow) -> AgentFlow:
    """At most MAX_STAGES stages: the least called ones become one for each kind."""
    if len(flow.stages) <= MAX_STAGES:
        return flow
    by_calls = sorted(flow.stages, key=lambda stage: (-flow.stages[stage].calls, stage.kind, stage.name))
    kept = set(by_calls[: MAX_STAGES - len(get_args(Kind))])
    into = {stage: stage if stage in kept else Stage(stage.kind, f"Other ({stage.kind})") for stage in flow.stages}
    folded = AgentFlow()
    for stage, figures in flow.stages.items():
        target = folded.stages[into[stage]]
        for name, value in vars(figures).items():
            setattr(target, name, getattr(target, name) + value)
        target.is_entry = bool(target.is_entry)
    for (source, called), calls in flow.calls.items():
        sums = folded.calls[into[source], into[called]]
        sums.calls += calls.calls
        sums.blocked += calls.blocked
    return folded


@dataclass(frozen=True)
class Place:
    layer: int
    row: float  # around 0


def places(flow: AgentFlow) -> dict[Stage, Place]:
    """Layers by the fewest calls that lead to a stage; within a layer the most called in the order of their names."""
    called_by: dict[Stage, list[Stage]] = defaultdict(list)
    for source, target in flow.calls:
        called_by[source].append(target)
    layer = {stage: 0 for stage, figures in flow.stages.items() if figures.is_entry}
    waiting = list(layer)
    for stage in waiting:
        for target in called_by[stage]:
            if target not in layer:
                layer[target] = layer[stage] + 1
                waiting.append(target)
    rows: dict[int, list[Stage]] = defaultdict(list)
    for stage in sorted(flow.stages, key=lambda each: (layer.get(each, 0), each.kind, each.name)):
        rows[layer.get(stage, 0)].append(stage)
    return {
        stage: Place(number, index - (len(stages) - 1) / 2)
        for number, stages in rows.items()
        for index, stage in enumerate(stages)
    }
