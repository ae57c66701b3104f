"""A trace or session as moments that one can step through: what each span was, when, and what was said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agentops_portal.formats import cut
from agentops_portal.units import milliseconds
from traces.reading.replay import ReplayEvent, error_of, replay
from traces.store.figures import TraceFigures
from traces.store.queries.span_detail import SpanDetail

Kind = Literal["llm", "tool", "agent", "guardrail", "decision", "error", "step"]
KINDS: Mapping[Kind, tuple[Promise, str]] = {
    "llm": (gettext_lazy("LLM call"), "sparkles"),
    "tool": (gettext_lazy("Tool"), "tool"),
    "agent": (gettext_lazy("Agent"), "robot"),
    "guardrail": (gettext_lazy("Guardrail"), "shield-check"),
    "decision": (gettext_lazy("Decision"), "git-branch"),
    "error": (gettext_lazy("Error"), "alert-triangle"),
    "step": (gettext_lazy("Step"), "point"),
}
_OF_EVENTS: Mapping[str, Kind] = {"llm_call": "llm", "tool_use": "tool", "decision": "decision", "error": "error"}
MOST_CHARACTERS = 1_500  # of a text of a card
NAME_CHARACTERS = 300
WIDTH = 997  # of the scrubber's drawing, besides the width of a mark


@dataclass(frozen=True)
class Moment:
    """at_ms: since the start of the first trace; handed_by: the agent that called this one, of agents."""

    kind: Kind
    span: SpanDetail
    title: str
    at_ms: float
    texts: Sequence[tuple[str, str]]  # label and text
    error: str
    handed_by: str

    @property
    def kind_name(self) -> Promise:
        return KINDS[self.kind][0]

    @property
    def icon(self) -> str:
        return KINDS[self.kind][1]

    @property
    def at_ns(self) -> int:
        return round(self.at_ms * 1_000_000)

    @property
    def end_ms(self) -> float:
        return self.at_ms + milliseconds(self.span.duration_ns)


@dataclass(frozen=True)
class Replay:
    moments: Sequence[Moment]
    length_ms: float
    at_ms: float  # that the address names
    current: int  # place of the moment that is on then

    @property
    def marks(self) -> list[tuple[Moment, str]]:
        """Moments that are more than a step, and where on the scrubber they are (of WIDTH)."""
        whole = self.length_ms or 1
        return [(each, f"{WIDTH * each.at_ms / whole:.1f}") for each in self.moments if each.kind != "step"]

    @property
    def length_ns(self) -> int:
        return round(self.length_ms * 1_000_000)


def replay_of(traces: Sequence[TraceFigures], spans: Sequence[SpanDetail], at_ms: float) -> Replay:
    """spans: of the traces. at_ms: what is on at that moment is the current one."""
    start_ns = min(each.start_ns for each in traces)
    events = _events(_told_once(spans), start_ns)
    agents = _Agents(spans)
    moments = [_moment(event, agents) for event in sorted(events, key=lambda event: event.span.start_ns)]
    length = max((each.end_ms for each in moments), default=0.0)
    current = max((place for place, each in enumerate(moments) if each.at_ms <= at_ms), default=0)
    return Replay(moments, length, min(at_ms, length), current)


def _told_once(spans: Sequence[SpanDetail]) -> list[SpanDetail]:
    """Without repetitions of a guardrail run, which LiteLLM emits twice (traces/store/figures.py)."""
    found: dict[tuple[object, ...], SpanDetail] = {}
    for span in spans:
        run = (span.trace_id, span.guardrail_name, span.guardrail_mode, span.start_ns, span.duration_ns)
        found.setdefault(run if span.guardrail_outcome else (span.trace_id, span.span_id, span.start_ns), span)
    return list(found.values())


def _events(spans: Sequence[SpanDetail], start_ns: int) -> list[ReplayEvent]:
    """Trace by trace, for spans of another trace tell nothing of a call."""
    ordered = sorted(spans, key=lambda span: span.trace_id)
    groups = [list(of_trace) for _id, of_trace in groupby(ordered, key=lambda span: span.trace_id)]
    return [event for group in groups for event in replay(group, start_ns)]


class _Agents:
    """Which agent called which."""

    def __init__(self, spans: Sequence[SpanDetail]) -> None:
        self._spans = {(span.trace_id, span.span_id): span for span in spans}
        self._found: dict[tuple[str, str], str] = {}

    def above(self, span: SpanDetail) -> str:
        """The nearest agent above the span; '' where there is none. Each span is passed once, whoever asks."""
        passed: list[tuple[str, str]] = []
        key, name = (span.trace_id, span.parent_span_id), ""
        while key in self._spans and key not in passed[:1]:
            if key in self._found:
                name = self._found[key]
                break
            self._found[key] = ""  # parents may form a circle
            passed.append(key)
            if self._spans[key].agent_name:
                name = self._spans[key].agent_name
                break
            key = (key[0], self._spans[key].parent_span_id)
        self._found |= dict.fromkeys(passed, name)
        return name


def _moment(event: ReplayEvent, agents: _Agents) -> Moment:
    span, kind = event.span, _kind(event)
    above = agents.above(span) if kind == "agent" else ""
    return Moment(
        kind=kind,
        span=span,
        title=cut(_title(kind, span), NAME_CHARACTERS),
        at_ms=event.relative_ms,
        texts=[(label, cut(text.strip(), MOST_CHARACTERS)) for label, text in _texts(kind, event.data) if text],
        error=cut(_error(span), MOST_CHARACTERS) if span.is_error else "",
        handed_by=cut(above, NAME_CHARACTERS) if above != span.agent_name else "",
    )


def _kind(event: ReplayEvent) -> Kind:
    if event.type == "decision" and event.span.guardrail_outcome:
        return "guardrail"
    if event.span.type == "agent" and event.type in ("span_start", "error"):
        return "agent"
    return _OF_EVENTS.get(event.type, "step")


def _title(kind: Kind, span: SpanDetail) -> str:
    named: Mapping[str, str] = {
        "llm": span.model,
        "tool": span.tool_name,
        "agent": span.agent_name,
        "guardrail": span.guardrail_name,
    }
    return named.get(kind, "") or span.name or "–"


def _error(span: SpanDetail) -> str:
    error = error_of(span)
    return ": ".join(part for part in (error.type, error.message) if part)


def _texts(kind: Kind, data: Mapping[str, Any]) -> list[tuple[str, str]]:
    names = {
        "llm": ((_("Asked"), "prompt"), (_("Answered"), "response")),
        "tool": ((_("Input"), "input"), (_("Output"), "output")),
        "guardrail": ((_("Said"), "reasoning"),),
        "decision": ((_("Why"), "reasoning"), (_("Chosen"), "selected_option")),
    }
    return [(label, str(data.get(name) or "")) for label, name in names.get(kind, ())]
