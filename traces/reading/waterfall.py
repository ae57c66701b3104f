"""The rows of the trace page's waterfall: tree, bar and words, ready to be drawn."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from traces.store.figures import TraceFigures
from traces.store.queries.trace_detail import SpanRow

from .tree import Node, span_tree

# Span type → icon (https://tabler.io/icons) and name.
SPAN_TYPES = {
    "session": ("player-play", _("Session")),
    "workflow": ("route", _("Workflow")),
    "agent": ("robot", _("Agent")),
    "task": ("subtask", _("Task")),
    "llm": ("sparkles", _("LLM call")),
    "embedding": ("vector", _("Embedding")),
    "tool": ("tool", _("Tool")),
    "guardrail": ("shield-check", _("Guardrail")),
    "retriever": ("database-search", _("Retriever")),
    "chain": ("link", _("Chain")),
    "http": ("world", _("HTTP")),
    "other": ("point", _("Other")),
}
PLUMBING = frozenset({"http", "other"})  # hidden by "key spans only", unless they failed
MAX_WIDE_LEVELS = 10
MAX_GUIDES = 40  # deeper spans are not indented further
MIN_WIDTH = 0.4  # percent: a span of a microsecond is still seen


@dataclass(frozen=True)
class Row:
    """One line. Offset and width are percent of the trace, as text for an SVG attribute."""

    span: SpanRow
    level: int
    guides: int  # indentation lines, one per ancestor
    is_orphan: bool
    descendants: int
    icon: str
    type_name: object
    label: str  # what the name does not say: model, guardrail or tool
    offset: str
    width: str
    is_key: bool
    is_repeated: bool  # the same guardrail run once more, under another parent; counted once


def waterfall(figures: TraceFigures, spans: Sequence[SpanRow]) -> list[Row]:
    """All spans in drawing order."""
    runs: set[tuple[str, str, int, int]] = set()
    return [_row(node, figures.start_ns, max(figures.duration_ns, 1), runs) for node in span_tree(spans)]


def _row(node: Node[SpanRow], start_ns: int, duration_ns: int, runs: set[tuple[str, str, int, int]]) -> Row:
    span = node.span
    icon, type_name = SPAN_TYPES.get(span.type, SPAN_TYPES["other"])
    width = min(max(span.duration_ns / duration_ns * 100, MIN_WIDTH), 100)
    offset = min(max((span.start_ns - start_ns) / duration_ns * 100, 0), 100 - width)
    run = (span.guardrail_name, span.guardrail_mode, span.start_ns, span.duration_ns)
    is_repeated = bool(span.guardrail_name) and run in runs
    runs.add(run)
    return Row(
        span=span,
        level=node.level,
        guides=min(node.depth, MAX_GUIDES),
        is_orphan=node.is_orphan,
        descendants=node.descendants,
        icon=icon,
        type_name=type_name,
        label=_label(span),
        offset=f"{offset:.2f}%",
        width=f"{width:.2f}%",
        is_key=span.type not in PLUMBING or span.is_error or node.depth == 0,
        is_repeated=is_repeated,
    )


def _label(span: SpanRow) -> str:
    if span.same_call_as:
        return str(_("same call"))
    if span.same_call_service:
        return str(_("not counted"))
    label = span.guardrail_name or (span.model if span.is_llm_call else span.tool_name if span.type == "tool" else "")
    return "" if label in span.name else label


def is_deep(rows: Sequence[Row]) -> bool:
    """Whether indentation would leave no room for names."""
    return any(row.level > MAX_WIDE_LEVELS for row in rows)


def ticks(duration_ns: int) -> list[int]:
    """Times below the scale, in nanoseconds from the start: 0, ¼, ½, ¾ and all."""
    return [duration_ns * quarter // 4 for quarter in range(5)]


def default_span(figures: TraceFigures, spans: Sequence[SpanRow]) -> str:
    """The span a reader most likely wants first: of a failed trace the error that came last, else the LLM call."""
    if figures.status == "error":
        failed = [span for span in spans if span.is_error]
        if failed:
            return max(failed, key=lambda span: (span.is_llm_call, span.type not in PLUMBING, span.end_ns)).span_id
    calls = [span for span in spans if span.is_llm_call]
    return calls[0].span_id if calls else figures.root_span_id
