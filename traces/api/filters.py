"""The filter language of traces as parameters: the same names as in the address of the trace list."""

import re
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from agentops_portal.units import parse_duration
from traces.store.dialects.base import GUARDRAIL_OUTCOMES
from traces.store.queries.filters import TraceFilter

from .ranges import RangeParameters

DOLLARS = r"[0-9]{1,12}(\.[0-9]{1,12})?"


@extend_schema_field({"type": "string", "examples": ["250ms", "1.5s", "2m"]})
class DurationField(serializers.Field[int, str, str, Any]):
    """A number with its unit; gives nanoseconds."""

    def to_internal_value(self, data: str) -> int:
        try:
            return parse_duration(data)
        except ValueError:
            raise serializers.ValidationError(
                "Write a number with its unit (ns, us, ms, s, m, h), such as 250ms or 1.5s."
            ) from None

    def to_representation(self, value: int) -> str:
        return f"{value}ns"


@extend_schema_field({"type": "string", "pattern": f"^{DOLLARS}$", "examples": ["0.01"]})
class DollarsField(serializers.Field[Decimal, str, str, Any]):
    """US dollars, exact."""

    def to_internal_value(self, data: str) -> Decimal:
        if not re.fullmatch(DOLLARS, data.strip()):
            raise serializers.ValidationError("Write US dollars such as 0.01, with at most 12 decimals.")
        return Decimal(data.strip())

    def to_representation(self, value: Decimal) -> str:
        return f"{value:f}"


def exact_name(help_text: str) -> serializers.CharField:
    """The very text that a client sent, blanks at its ends included: `"a "` and `"a"` are two sessions."""
    return serializers.CharField(
        required=False, allow_blank=True, trim_whitespace=False, max_length=300, help_text=help_text
    )


class TraceFilterParameters(RangeParameters):
    """All that is given must fit; empty means any."""

    q = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=200,
        help_text="Part of the trace id or of a span's name, whatever the case.",
    )
    status = serializers.ChoiceField(["ok", "error"], required=False, allow_blank=True)
    model = exact_name("The model of at least one LLM call.")
    llm = serializers.BooleanField(required=False, help_text="true: only traces with LLM calls.")
    agent = exact_name("The name of an agent of the trace.")
    user = exact_name("The user id of the trace.")
    session = exact_name("The session id of the trace.")
    service = exact_name("The service of the trace's root.")
    tag = exact_name("One of the trace's tags.")
    guardrail = serializers.ChoiceField(
        GUARDRAIL_OUTCOMES, required=False, allow_blank=True, help_text="What came of at least one guardrail run."
    )
    has_errors = serializers.BooleanField(
        required=False, allow_null=True, default=None, help_text="Whether a span failed, whatever the trace's status."
    )
    min_duration = DurationField(required=False, help_text="A number with its unit: ns, us, ms, s, m, h.")
    max_duration = DurationField(required=False, help_text="A number with its unit: ns, us, ms, s, m, h.")
    min_cost = DollarsField(required=False, help_text="US dollars. Traces of unknown cost fit no bound.")
    max_cost = DollarsField(required=False, help_text="US dollars. Traces of unknown cost fit no bound.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        for low, high in (("min_duration", "max_duration"), ("min_cost", "max_cost")):
            if low in attrs and high in attrs and attrs[low] > attrs[high]:
                raise serializers.ValidationError({high: [f"This must not be less than {low}."]})
        return super().validate(attrs)


def trace_filter(wanted: dict[str, Any]) -> TraceFilter:
    """What checked TraceFilterParameters ask for."""
    return TraceFilter(
        text=wanted.get("q", "").strip(),
        status=wanted.get("status", ""),
        model=wanted.get("model", ""),
        llm_only=wanted.get("llm", False),
        agent=wanted.get("agent", ""),
        user=wanted.get("user", ""),
        session=wanted.get("session", ""),
        service=wanted.get("service", ""),
        tag=wanted.get("tag", ""),
        guardrail=wanted.get("guardrail", ""),
        has_errors=wanted["has_errors"],
        min_duration_ns=wanted.get("min_duration"),
        max_duration_ns=wanted.get("max_duration"),
        min_cost=wanted.get("min_cost"),
        max_cost=wanted.get("max_cost"),
    )
