"""How the JSON of exports is described in the OpenAPI document; traces/reading/export.py writes it."""

from typing import Any

from rest_framework import serializers


class ExportedEventSerializer(serializers.Serializer[Any]):
    time = serializers.DateTimeField()
    name = serializers.CharField()
    attributes = serializers.DictField(child=serializers.CharField())


class ExportedSpanSerializer(serializers.Serializer[Any]):
    """A span; the last three only when attributes are asked for."""

    span_id = serializers.CharField()
    parent_span_id = serializers.CharField(help_text="Empty for a root.")
    name = serializers.CharField()
    service = serializers.CharField()
    kind = serializers.CharField()
    type = serializers.CharField()
    start_time = serializers.DateTimeField()
    end_time = serializers.DateTimeField()
    duration_ms = serializers.FloatField()
    status = serializers.CharField(help_text="Unset, Ok or Error.")
    status_message = serializers.CharField()
    model = serializers.CharField()
    provider = serializers.CharField()
    input_tokens = serializers.IntegerField()
    output_tokens = serializers.IntegerField()
    cached_input_tokens = serializers.IntegerField()
    reasoning_tokens = serializers.IntegerField()
    total_tokens = serializers.IntegerField()
    cache_write_tokens = serializers.IntegerField(help_text="Part of `input_tokens`.")
    cost_usd = serializers.FloatField(
        allow_null=True, help_text="As reported, else by the price book; null when nobody knows it."
    )
    discount_percent = serializers.FloatField(
        allow_null=True, help_text="What the price book took off `cost_usd`; null when it is as reported or has none."
    )
    agent = serializers.CharField()
    tool = serializers.CharField()
    guardrail = serializers.CharField()
    guardrail_mode = serializers.CharField()
    guardrail_outcome = serializers.CharField()
    http_status = serializers.IntegerField(help_text="0 when the span has none.")
    same_call_as = serializers.CharField(help_text="The span that is counted in its place, for it tells the same call.")
    same_call_service = serializers.CharField(
        help_text="The service that tells the same calls, where this one's are left out."
    )
    attributes = serializers.DictField(child=serializers.CharField(), required=False)
    resource_attributes = serializers.DictField(child=serializers.CharField(), required=False)
    events = ExportedEventSerializer(many=True, required=False)


class ExportedTraceSerializer(serializers.Serializer[Any]):
    """A trace; `spans` only when they are asked for."""

    trace_id = serializers.CharField()
    name = serializers.CharField()
    service = serializers.CharField()
    status = serializers.ChoiceField(["ok", "error"])
    start_time = serializers.DateTimeField()
    end_time = serializers.DateTimeField()
    duration_ms = serializers.FloatField()
    span_count = serializers.IntegerField()
    error_count = serializers.IntegerField(help_text="Spans that failed.")
    llm_calls = serializers.IntegerField()
    cache_hits = serializers.IntegerField()
    input_tokens = serializers.IntegerField()
    output_tokens = serializers.IntegerField()
    cached_input_tokens = serializers.IntegerField()
    reasoning_tokens = serializers.IntegerField()
    total_tokens = serializers.IntegerField()
    cost_usd = serializers.FloatField(allow_null=True, help_text="What is known of it; null when nothing is.")
    computed_cost_usd = serializers.FloatField(
        allow_null=True, help_text="Part of `cost_usd` that no client reported: by the price book."
    )
    unknown_cost_calls = serializers.IntegerField(help_text="LLM calls whose cost nobody knows.")
    saved_cost_usd = serializers.FloatField(allow_null=True, help_text="What answers from a cache would have cost.")
    models = serializers.ListField(child=serializers.CharField())
    agents = serializers.ListField(child=serializers.CharField())
    session_id = serializers.CharField()
    user_id = serializers.CharField()
    guardrail = serializers.CharField(help_text="The gravest outcome of the guardrails; empty when none ran.")
    guardrail_runs = serializers.IntegerField()
    blocked_runs = serializers.IntegerField()
    masked_runs = serializers.IntegerField()
    flagged_runs = serializers.IntegerField()
    failed_runs = serializers.IntegerField()
    unknown_runs = serializers.IntegerField()
    spans = ExportedSpanSerializer(many=True, required=False)


class ExportFileSerializer(serializers.Serializer[Any]):
    """A file is whole when `complete` is true."""

    project_id = serializers.UUIDField()
    start_time = serializers.DateTimeField()
    end_time = serializers.DateTimeField()
    traces = ExportedTraceSerializer(many=True)
    trace_count = serializers.IntegerField()
    complete = serializers.BooleanField()
    error = serializers.CharField(required=False, help_text="Why the file is not whole.")
