"""What several tools answer with: costs, times, ranges, and texts that are cut."""

from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.urls import reverse
from pydantic import BaseModel, Field

from agentops_portal import formats
from agentops_portal.clickhouse.gate import Scope
from agentops_portal.units import datetime_of, milliseconds
from traces.store import figures


class TimeRange(BaseModel):
    """Half-open: what starts at `end` is not in it."""

    start: datetime
    end: datetime

    @classmethod
    def of(cls, scope: Scope) -> "TimeRange":
        return cls(start=scope.start, end=scope.end)

    def __str__(self) -> str:
        return f"{self.start.isoformat(timespec='seconds')} to {self.end.isoformat(timespec='seconds')}"


class Cost(BaseModel):
    """US dollars."""

    usd: float | None = Field(description="Sum of the known costs; null when none is known.")
    computed_usd: float | None = Field(description="Part of `usd` that no client reported: by the price book.")
    unknown_calls: int = Field(description="LLM calls whose cost nobody knows; they are not in `usd`.")
    saved_usd: float | None = Field(description="What answers from a cache would have cost; null when there were none.")
    discounts: list[float] = Field(
        description="Per cent that the price book took off computed_usd; told of one trace, and of no sum over several."
    )

    @classmethod
    def of(cls, cost: figures.Cost) -> "Cost":
        return cls(
            usd=_number(cost.known),
            computed_usd=_number(cost.computed),
            unknown_calls=cost.unknown_calls,
            saved_usd=_number(cost.saved),
            discounts=[float(percent) for percent in cost.discounts],
        )


class Tokens(BaseModel):
    input: int
    output: int
    cached_input: int = Field(description="Part of input.")
    reasoning: int = Field(description="Part of output.")
    total: int


class SpanTokens(Tokens):
    cache_write: int = Field(description="Part of input.")


class Latency(BaseModel):
    """Percentiles in milliseconds."""

    p50_ms: float
    p95_ms: float
    p99_ms: float


def _number(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)


def cost_text(cost: figures.Cost) -> str:
    """`$0.0012`, `$0.0012 + 2 calls of unknown cost`, `cost unknown`, `$0`."""
    if cost.is_unknown:
        return "cost unknown"
    known = formats.dollars(cost.known or Decimal(0))
    return f"{known} + {counted(cost.unknown_calls, 'call')} of unknown cost" if cost.unknown_calls else known


def counted(number: int, noun: str) -> str:
    """`1 span`, `2 spans`."""
    return f"{formats.count(number)} {noun}{'' if number == 1 else 's'}"


def rounded_ms(nanoseconds: float) -> float:
    """Milliseconds with three decimals: models read what is short."""
    return round(milliseconds(nanoseconds), 3)


def moment(nanoseconds: int) -> datetime:
    """UTC, to the microsecond."""
    return datetime_of(nanoseconds)


def trace_url(project_id: object, trace_id: str, span_id: str = "") -> str:
    """The page of a trace, or of a span in it, for people who sign in."""
    kwargs = {"project_id": project_id, "trace_id": trace_id}
    path = (
        reverse("span-detail", kwargs={**kwargs, "span_id": span_id})
        if span_id
        else reverse("trace-detail", kwargs=kwargs)
    )
    return f"{settings.PORTAL_URL}{path}"
