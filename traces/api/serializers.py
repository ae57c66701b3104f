"""How figures leave: money as text, times as ISO 8601 in UTC with nanoseconds, durations in nanoseconds."""

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from agentops_portal.units import iso_utc

UTC_EXAMPLE = "2026-11-23T09:30:00.123456789Z"


@extend_schema_field({"type": "string", "format": "date-time", "examples": [UTC_EXAMPLE]})
class NanosecondsField(serializers.Field[int, Any, str, Any]):
    """Nanoseconds since 1970 as a time."""

    def to_representation(self, value: int) -> str:
        return iso_utc(value)


@extend_schema_field({"type": "string", "pattern": r"^\d+(\.\d+)?$", "examples": ["0.00012345"]})
class MoneyField(serializers.Field[Decimal, Any, str, Any]):
    """US dollars with every digit that is known, and no exponent."""

    def to_representation(self, value: Decimal) -> str:
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text


class CostSerializer(serializers.Serializer[Any]):
    total = MoneyField(
        source="known",
        allow_null=True,
        help_text="US dollars that are known: reported and computed; null when none is.",
    )
    reported = MoneyField(allow_null=True, help_text="US dollars that clients reported; null when none was.")
    computed = MoneyField(
        allow_null=True,
        help_text="US dollars by the price book, of calls of which nothing was reported; null when none.",
    )
    provenance = serializers.ChoiceField(
        source="source",
        choices=["reported", "computed", "mixed", "unknown", ""],
        help_text="Where `total` comes from; empty when there was nothing to pay for.",
    )
    unknown_calls = serializers.IntegerField(help_text="LLM calls whose cost nobody knows: `total` is without them.")
    saved = MoneyField(allow_null=True, help_text="US dollars that answers from a cache would have cost.")


class OneCostSerializer(CostSerializer):
    """Of one span or one trace."""

    discounts = serializers.ListField(
        child=serializers.FloatField(), help_text="Per cent that the price book took off `computed`."
    )


class TokensSerializer(serializers.Serializer[Any]):
    """From an object with `input_tokens` and so on."""

    input = serializers.IntegerField(source="input_tokens")
    output = serializers.IntegerField(source="output_tokens")
    cached_input = serializers.IntegerField(source="cached_input_tokens", help_text="Part of `input`.")
    reasoning = serializers.IntegerField(source="reasoning_tokens", help_text="Part of `output`.")
    total = serializers.IntegerField(source="total_tokens")


class SpanTokensSerializer(TokensSerializer):
    cache_write = serializers.IntegerField(source="cache_write_tokens", help_text="Part of `input`.")


class LatencySerializer(serializers.Serializer[Any]):
    p50_ns = serializers.FloatField(source="p50")
    p95_ns = serializers.FloatField(source="p95")
    p99_ns = serializers.FloatField(source="p99")
