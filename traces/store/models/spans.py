"""Spans, and what their traces say of them."""

from clickhouse_backend import models as clickhouse
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from agentops_portal.clickhouse.gate import Scope
from agentops_portal.clickhouse.scoped import ScopedModel, between

from .fields import HexField


class Span(ScopedModel):
    """One row for each span."""

    row_keys = ("Timestamp", "TraceId", "SpanId", "request_digest")
    listed = (
        "Timestamp",
        "SpanName",
        "span_type",
        "model",
        "StatusCode",
        "Duration",
        "total_tokens",
        "reported_cost",
        "ServiceName",
        "TraceId",
        "SpanId",
        "is_pending",
    )

    Timestamp = clickhouse.DateTime64Field(precision=9)
    TraceId = clickhouse.StringField()
    SpanId = clickhouse.StringField(primary_key=True)
    ParentSpanId = clickhouse.StringField()
    TraceState = clickhouse.StringField()
    SpanName = clickhouse.StringField(low_cardinality=True)
    SpanKind = clickhouse.StringField(low_cardinality=True)
    ServiceName = clickhouse.StringField(low_cardinality=True)
    ResourceAttributes = clickhouse.MapField(clickhouse.StringField(low_cardinality=True), clickhouse.StringField())
    ScopeName = clickhouse.StringField()
    ScopeVersion = clickhouse.StringField()
    SpanAttributes = clickhouse.MapField(clickhouse.StringField(low_cardinality=True), clickhouse.StringField())
    Duration = clickhouse.UInt64Field()
    StatusCode = clickhouse.StringField(low_cardinality=True)
    StatusMessage = clickhouse.StringField()
    EventsTimestamp = clickhouse.ArrayField(clickhouse.DateTime64Field(precision=9), db_column="Events.Timestamp")
    EventsName = clickhouse.ArrayField(clickhouse.StringField(low_cardinality=True), db_column="Events.Name")
    EventsAttributes = clickhouse.ArrayField(
        clickhouse.MapField(clickhouse.StringField(low_cardinality=True), clickhouse.StringField()),
        db_column="Events.Attributes",
    )
    LinksTraceId = clickhouse.ArrayField(clickhouse.StringField(), db_column="Links.TraceId")
    LinksSpanId = clickhouse.ArrayField(clickhouse.StringField(), db_column="Links.SpanId")
    LinksTraceState = clickhouse.ArrayField(clickhouse.StringField(), db_column="Links.TraceState")
    LinksAttributes = clickhouse.ArrayField(
        clickhouse.MapField(clickhouse.StringField(low_cardinality=True), clickhouse.StringField()),
        db_column="Links.Attributes",
    )
    ScopeAttributes = clickhouse.MapField(clickhouse.StringField(low_cardinality=True), clickhouse.StringField())
    request_digest = HexField(max_bytes=16)
    received_at = clickhouse.DateTime64Field(precision=3)
    told = clickhouse.MapField(clickhouse.UInt16Field(), clickhouse.StringField())
    project_id = clickhouse.StringField()
    span_hash = clickhouse.UInt64Field()
    is_pending = clickhouse.BoolField()
    end_timestamp = clickhouse.DateTime64Field(precision=9)
    stated_kind = clickhouse.StringField(low_cardinality=True)
    guardrail_name = clickhouse.StringField(low_cardinality=True)
    guardrail_mode = clickhouse.StringField(low_cardinality=True)
    guardrail_outcome = clickhouse.StringField(low_cardinality=True)
    tripped_guardrail = clickhouse.StringField(low_cardinality=True)
    model = clickhouse.StringField(low_cardinality=True)
    http_status = clickhouse.UInt16Field()
    tool_name = clickhouse.StringField(low_cardinality=True)
    operation_told = clickhouse.StringField(low_cardinality=True)
    span_type = clickhouse.StringField(low_cardinality=True)
    is_llm_call = clickhouse.BoolField()
    operation = clickhouse.StringField(low_cardinality=True)
    requested_model = clickhouse.StringField(low_cardinality=True)
    provider = clickhouse.StringField(low_cardinality=True)
    input_tokens = clickhouse.UInt64Field()
    output_tokens = clickhouse.UInt64Field()
    cached_input_tokens = clickhouse.UInt64Field()
    cache_write_tokens = clickhouse.UInt64Field()
    reasoning_tokens = clickhouse.UInt64Field()
    token_details = clickhouse.MapField(clickhouse.StringField(low_cardinality=True), clickhouse.UInt64Field())
    tokens_apart = clickhouse.UInt8Field()
    total_tokens = clickhouse.UInt64Field()
    units = clickhouse.Float64Field()
    reported_cost = clickhouse.DecimalField(max_digits=18, decimal_places=12, null=True)
    cache_hit = clickhouse.BoolField()
    session_id = clickhouse.StringField()
    user_id = clickhouse.StringField()
    agent_name = clickhouse.StringField(low_cardinality=True)
    ended_as = clickhouse.StringField(low_cardinality=True)

    class Meta(ScopedModel.Meta):
        db_table = "otel_traces"
        verbose_name = _("stored span")
        verbose_name_plural = _("stored spans")

    def __str__(self) -> str:
        return f"{self.SpanName} {self.TraceId}/{self.SpanId}"

    @classmethod
    def in_scope(cls, scope: Scope) -> Q:
        return Q(project_id=str(scope.project_id)) & between("Timestamp", scope)


class SpanVerdict(ScopedModel):
    """What a trace says of a span: a layer of another call, an agent's. Rows with sign -1 take back what counted before
    (traces/store/schema/verdicts.py).
    """

    row_keys = ("Timestamp", "TraceId", "SpanId", "version", "sign")
    listed = (
        "Timestamp",
        "TraceId",
        "SpanId",
        "sign",
        "version",
        "same_as",
        "same_trace",
        "why",
        "agent_name",
        "is_llm_call",
        "total_tokens",
        "reported_cost",
    )

    project_id = clickhouse.StringField(low_cardinality=True)
    Timestamp = clickhouse.DateTime64Field(precision=9)
    end_timestamp = clickhouse.DateTime64Field(precision=9)
    TraceId = clickhouse.StringField()
    SpanId = clickhouse.StringField(primary_key=True)
    ParentSpanId = clickhouse.StringField()
    ServiceName = clickhouse.StringField(low_cardinality=True)
    StatusCode = clickhouse.StringField(low_cardinality=True)
    span_type = clickhouse.StringField(low_cardinality=True)
    model = clickhouse.StringField(low_cardinality=True)
    provider = clickhouse.StringField(low_cardinality=True)
    operation = clickhouse.StringField(low_cardinality=True)
    agent_name = clickhouse.StringField(low_cardinality=True)
    is_llm_call = clickhouse.BoolField()
    input_tokens = clickhouse.UInt64Field()
    output_tokens = clickhouse.UInt64Field()
    cached_input_tokens = clickhouse.UInt64Field()
    cache_write_tokens = clickhouse.UInt64Field()
    reasoning_tokens = clickhouse.UInt64Field()
    token_details = clickhouse.MapField(clickhouse.StringField(low_cardinality=True), clickhouse.UInt64Field())
    total_tokens = clickhouse.UInt64Field()
    units = clickhouse.Float64Field()
    reported_cost = clickhouse.DecimalField(max_digits=18, decimal_places=12, null=True)
    cache_hit = clickhouse.BoolField()
    sign = clickhouse.Int8Field()
    version = clickhouse.UInt32Field()
    same_as = clickhouse.StringField()
    same_trace = clickhouse.StringField()
    why = clickhouse.StringField(low_cardinality=True)
    is_pending = clickhouse.BoolField()
    received_at = clickhouse.DateTime64Field(precision=3)

    class Meta(ScopedModel.Meta):
        db_table = "span_verdicts"
        verbose_name = _("verdict on a span")
        verbose_name_plural = _("verdicts on spans")

    def __str__(self) -> str:
        return f"{self.TraceId}/{self.SpanId}: {self.why or self.agent_name or 'as it says'}"

    @classmethod
    def in_scope(cls, scope: Scope) -> Q:
        return Q(project_id=str(scope.project_id)) & between("Timestamp", scope)
