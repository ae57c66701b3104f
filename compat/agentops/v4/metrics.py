"""TraceMetrics and SpanMetrics, the two objects with sums that AgentOps' clients know.

Tokens and cost are those of LLM calls, each counted once (traces/store/figures.py). Costs are US dollars as text with
seven decimals, and carry what is known: `unknown_cost_calls` says how many calls have no known cost. `prompt_cost` and
`completion_cost` are what clients report for the two sides or, of a computed cost, what the price book says for the
input and for all else; `other_cost` is what is reported beyond that (calls that nobody split, tools, discounts), so
that the three always add up to `total_cost`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from rest_framework import serializers

from agentops_portal.units import fixed_dollars
from traces.store.figures import TraceFigures
from traces.store.queries.span_detail import SpanDetail
from traces.store.queries.trace_metrics import TraceSums

PROMPT_COSTS = ("gen_ai.usage.prompt_cost", "gen_ai.cost.input_cost", "litellm.cost.input")
COMPLETION_COSTS = ("gen_ai.usage.completion_cost", "gen_ai.cost.output_cost", "litellm.cost.output")
_SMALLEST = Decimal("1e-12")  # what the span store keeps of an amount
_LARGEST = Decimal(10) ** 6

# A span with one of these has metrics, though it may be no LLM call: all are 0 then, for its call is counted elsewhere.
_MARKS = frozenset(
    {
        *("gen_ai.completion", "gen_ai.prompt", "gen_ai.usage", "ai.system", "ai.llm"),
        *("llm.request.model", "llm.response.model", "llm.system"),
        *(f"gen_ai.usage.{name}" for name in ("prompt_tokens", "completion_tokens", "total_tokens")),
        *(f"gen_ai.usage.{name}" for name in ("prompt_cost", "completion_cost", "total_cost")),
        *(f"gen_ai.usage.{name}" for name in ("cache_read_input_tokens", "reasoning_tokens")),
        *(f"gen_ai.usage.{name}" for name in ("input_tokens", "output_tokens")),
    }
)


@dataclass(frozen=True)
class CostParts:
    """US dollars of some spans."""

    prompt: Decimal = Decimal(0)
    completion: Decimal = Decimal(0)

    @classmethod
    def of(cls, span: SpanDetail) -> "CostParts":
        """What the client says of a span or, where it reports nothing, the price book; nothing of an answer from a
        cache.
        """
        if span.cache_hit:
            return cls()
        if span.reported_cost is None:
            whole, prompt = span.computed_cost or Decimal(0), span.book_prompt_cost or Decimal(0)
            return cls(min(prompt, whole), max(whole - prompt, Decimal(0)))
        return cls(_amount(span, PROMPT_COSTS), _amount(span, COMPLETION_COSTS))

    @classmethod
    def of_all(cls, spans: Iterable[SpanDetail]) -> "CostParts":
        parts = [cls.of(span) for span in spans]
        return cls(
            sum((part.prompt for part in parts), Decimal(0)), sum((part.completion for part in parts), Decimal(0))
        )


def _amount(span: SpanDetail, keys: Iterable[str]) -> Decimal:
    text = next((span.attributes[key] for key in keys if span.attributes.get(key)), "0")
    try:
        amount = Decimal(text)
        # Not >=: a text may be "NaN", which compares with nothing.
        return amount.quantize(_SMALLEST) if Decimal(0) <= amount < _LARGEST else Decimal(0)
    except InvalidOperation:
        return Decimal(0)


def known_number(reported: Decimal | None, unknown_calls: int) -> float | None:
    """A cost as a number; None when nothing of it is known though there is something to know."""
    if reported is None:
        return None if unknown_calls else 0.0
    return float(reported)


class _TokensAndCostSerializer(serializers.Serializer[Any]):
    prompt_tokens = serializers.IntegerField()
    completion_tokens = serializers.IntegerField()
    cache_read_input_tokens = serializers.IntegerField()
    reasoning_tokens = serializers.IntegerField()
    total_tokens = serializers.IntegerField()
    prompt_cost = serializers.CharField(help_text="US dollars, seven decimals.")
    completion_cost = serializers.CharField(help_text="US dollars, seven decimals.")
    other_cost = serializers.CharField(help_text="What is reported beyond the two; below 0 for a discount.")
    total_cost = serializers.CharField(help_text="US dollars, as far as they are known.")
    unknown_cost_calls = serializers.IntegerField(help_text="LLM calls whose cost nobody knows.")


class TraceMetricsSerializer(_TokensAndCostSerializer):
    span_count = serializers.IntegerField()
    trace_count = serializers.IntegerField()
    success_count = serializers.IntegerField(help_text="In a list: traces that are fine. In a trace: spans, status OK.")
    fail_count = serializers.IntegerField(help_text="In a list: traces that failed. In a trace: spans, status ERROR.")
    indeterminate_count = serializers.IntegerField(help_text="In a list: 0. In a trace: spans, status UNSET.")
    average_cost_per_trace = serializers.CharField(help_text="US dollars, seven decimals.")


class SpanMetricsSerializer(_TokensAndCostSerializer):
    success_tokens = serializers.IntegerField(help_text="total_tokens of a span with status OK, else 0.")
    fail_tokens = serializers.IntegerField(help_text="total_tokens of a span with status ERROR, else 0.")
    indeterminate_tokens = serializers.IntegerField(help_text="total_tokens of a span with status UNSET, else 0.")


def metrics_of_list(sums: TraceSums) -> dict[str, Any]:
    """TraceMetrics of many traces. The summaries do not split costs: all of it is in `other_cost`."""
    counts = {
        "span_count": sums.span_count,
        "trace_count": sums.traces,
        "success_count": sums.traces - sums.error_traces,
        "fail_count": sums.error_traces,
        "indeterminate_count": 0,
    }
    return {**counts, **_tokens(sums), **_costs(sums, CostParts(), sums.traces)}


def metrics_of_trace(figures: TraceFigures, spans: Iterable[SpanDetail]) -> dict[str, Any]:
    """TraceMetrics of one trace, whose outcomes are those of its spans."""
    counts = {
        "span_count": figures.span_count,
        "trace_count": 1,
        "success_count": figures.ok_count,
        "fail_count": figures.error_count,
        "indeterminate_count": figures.span_count - figures.ok_count - figures.error_count,
    }
    return {**counts, **_tokens(figures), **_costs(figures, CostParts.of_all(spans), 1)}


def metrics_of_span(span: SpanDetail) -> dict[str, Any]:
    """SpanMetrics."""
    by_outcome = {
        f"{outcome}_tokens": span.total_tokens if status == span.status else 0
        for outcome, status in (("success", "Ok"), ("fail", "Error"), ("indeterminate", "Unset"))
    }
    costs = _costs(span, CostParts.of(span), 1)
    del costs["average_cost_per_trace"]
    return {**by_outcome, **_tokens(span), **costs}


def has_metrics(span: SpanDetail) -> bool:
    return span.is_llm_call or span.reported_cost is not None or not _MARKS.isdisjoint(span.attributes)


def _tokens(counted: TraceSums | TraceFigures | SpanDetail) -> dict[str, int]:
    return {
        "prompt_tokens": counted.input_tokens,
        "completion_tokens": counted.output_tokens,
        "cache_read_input_tokens": counted.cached_input_tokens,
        "reasoning_tokens": counted.reasoning_tokens,
        "total_tokens": counted.total_tokens,
    }


def _costs(counted: TraceSums | TraceFigures | SpanDetail, parts: CostParts, traces: int) -> dict[str, Any]:
    cost = counted.cost
    total = cost.known or Decimal(0)
    return {
        "prompt_cost": fixed_dollars(parts.prompt),
        "completion_cost": fixed_dollars(parts.completion),
        "other_cost": fixed_dollars(total - parts.prompt - parts.completion),
        "average_cost_per_trace": fixed_dollars(total / traces if traces else Decimal(0)),
        "total_cost": fixed_dollars(total),
        "unknown_cost_calls": cost.unknown_calls,
    }
