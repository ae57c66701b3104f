"""The tables of ClickHouse as Django knows them: every column, to be read within a scope (`objects.within(scope)`).

The tables belong to traces/store/schema/ and traces/store/rollups/; a system check (traces/store/shape/fields.py)
compares the fields with them. A column that merges with others (SimpleAggregateFunction) is a field of its plain type,
and a roll-up has several rows for what is one until ClickHouse merges them: whoever adds up, aggregates. Questions that
pages and APIs ask stay in traces/store/queries/.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from clickhouse_backend import models as clickhouse
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from agentops_portal.clickhouse.gate import Scope
from agentops_portal.clickhouse.scoped import ScopedModel, between, touched
from agentops_portal.units import NS_OF_DAY, NS_OF_QUARTER, NS_OF_SECOND
from traces.store.rollups import durations

_DAY = NS_OF_DAY // NS_OF_SECOND
_QUARTER = NS_OF_QUARTER // NS_OF_SECOND


class _ListField(clickhouse.ArrayField):
    """A list of what `element` makes; migrations do not name it again."""

    element: Callable[[], Any]

    def __init__(self, **options: Any) -> None:
        super().__init__(type(self).element(), **options)

    def deconstruct(self) -> Any:
        name, path, args, options = super().deconstruct()
        options.pop("base_field", None)
        return name, path, args, options


class DurationsField(clickhouse.Float64Field):
    """The histogram of durations, read as its median in nanoseconds."""

    def db_type(self, connection: Any) -> str:
        return durations.KIND

    def select_format(self, compiler: Any, sql: str, params: Any) -> tuple[str, Any]:
        return durations.median(sql), params


class HexField(clickhouse.FixedStringField):
    """Bytes as the hexadecimal digits of them, in rows and in conditions."""

    def get_prep_value(self, value: Any) -> Any:
        return bytes.fromhex(value) if isinstance(value, str) else value

    def select_format(self, compiler: Any, sql: str, params: Any) -> tuple[str, Any]:
        return f"lower(hex({sql}))", params


class SpanIdsField(_ListField):
    """Trace id and span id of each span in one, as hexadecimal digits."""

    element = partial(clickhouse.FixedStringField, max_bytes=24)

    def select_format(self, compiler: Any, sql: str, params: Any) -> tuple[str, Any]:
        return f"arrayMap(each -> lower(hex(each)), {sql})", params


class BytesField(clickhouse.StringField):
    """Bytes of any kind, read as base64."""

    def select_format(self, compiler: Any, sql: str, params: Any) -> tuple[str, Any]:
        return f"base64Encode({sql})", params


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


def _of_root() -> clickhouse.TupleField:
    """What the root says, else the earliest span that says something."""
    return clickhouse.TupleField(
        [
            ("is_blank", clickhouse.BoolField()),
            ("is_child", clickhouse.BoolField()),
            ("started", clickhouse.DateTime64Field(precision=9)),
            ("id", clickhouse.StringField()),
        ]
    )


def _run() -> clickhouse.TupleField:
    number, text = clickhouse.UInt64Field, clickhouse.StringField
    return clickhouse.TupleField([("id", number()), ("outcome", text()), ("teller", number())])


class Trace(ScopedModel):
    """What the spans of a trace add on one day."""

    row_keys = ("started", "trace_id", "day")
    listed = (
        "started",
        "ended",
        "trace_id",
        "session",
        "user",
        "spans",
        "failed_spans",
        "done_calls",
        "tokens",
        "cost",
    )

    project_id = clickhouse.StringField(low_cardinality=True)
    day = clickhouse.Int32Field()
    trace_hash = clickhouse.UInt64Field()
    trace_id = clickhouse.StringField(primary_key=True)
    started = clickhouse.DateTime64Field(precision=9)
    ended = clickhouse.DateTime64Field(precision=9)
    root = clickhouse.TupleField(
        [
            ("is_child", clickhouse.BoolField()),
            ("started", clickhouse.DateTime64Field(precision=9)),
            ("shortness", clickhouse.UInt64Field()),
            ("span_id", clickhouse.StringField()),
            ("name", clickhouse.StringField()),
            ("service", clickhouse.StringField()),
            ("status", clickhouse.StringField()),
        ]
    )
    last_work = clickhouse.TupleField(
        [
            ("is_work", clickhouse.BoolField()),
            ("ended", clickhouse.DateTime64Field(precision=9)),
            ("span_id", clickhouse.StringField()),
            ("status", clickhouse.StringField()),
        ]
    )
    server_status = clickhouse.UInt16Field()
    spans = clickhouse.UInt64Field()
    verdicts = clickhouse.UInt64Field()
    ok_spans = clickhouse.UInt64Field()
    failed_spans = clickhouse.UInt64Field()
    done_calls = clickhouse.UInt64Field()
    failed_calls = clickhouse.UInt64Field()
    priced_calls = clickhouse.UInt64Field()
    cached_calls = clickhouse.UInt64Field()
    input = clickhouse.UInt64Field()
    output = clickhouse.UInt64Field()
    cached_input = clickhouse.UInt64Field()
    reasoning = clickhouse.UInt64Field()
    tokens = clickhouse.UInt64Field()
    cost = clickhouse.DecimalField(max_digits=38, decimal_places=12, null=True)
    computed = clickhouse.DecimalField(max_digits=38, decimal_places=12, null=True)
    saved = clickhouse.DecimalField(max_digits=38, decimal_places=12, null=True)
    model_names = clickhouse.ArrayField(clickhouse.StringField())
    agent_names = clickhouse.ArrayField(clickhouse.StringField())
    span_names = clickhouse.ArrayField(clickhouse.StringField())
    session = _of_root()
    user = _of_root()
    tag_texts = clickhouse.ArrayField(clickhouse.StringField())
    runs = clickhouse.ArrayField(_run())
    tripped = clickhouse.ArrayField(clickhouse.UInt64Field())

    class Meta(ScopedModel.Meta):
        db_table = "trace_summaries"
        verbose_name = _("trace summary")
        verbose_name_plural = _("trace summaries")

    def __str__(self) -> str:
        return f"{self.trace_id} on day {self.day}"

    @classmethod
    def in_scope(cls, scope: Scope) -> Q:
        return Q(project_id=str(scope.project_id)) & touched("day", scope, _DAY)


class UsageQuarter(ScopedModel):
    """Counts, tokens and cost of a quarter of an hour, by what spans are."""

    row_keys = ("quarter", "type", "model", "provider", "service", "agent", "status", "is_root", "is_priced")
    listed = (
        "quarter",
        "type",
        "model",
        "provider",
        "service",
        "agent",
        "status",
        "is_root",
        "spans",
        "tokens",
        "cost",
    )

    project_id = clickhouse.StringField(low_cardinality=True)
    quarter = clickhouse.Int32Field(primary_key=True)
    type = clickhouse.StringField(low_cardinality=True)
    model = clickhouse.StringField(low_cardinality=True)
    provider = clickhouse.StringField(low_cardinality=True)
    service = clickhouse.StringField(low_cardinality=True)
    agent = clickhouse.StringField(low_cardinality=True)
    status = clickhouse.StringField(low_cardinality=True)
    is_root = clickhouse.BoolField()
    is_priced = clickhouse.BoolField()
    spans = clickhouse.UInt64Field()
    verdicts = clickhouse.UInt64Field()
    cached_calls = clickhouse.UInt64Field()
    input = clickhouse.UInt64Field()
    output = clickhouse.UInt64Field()
    cached_input = clickhouse.UInt64Field()
    reasoning = clickhouse.UInt64Field()
    tokens = clickhouse.UInt64Field()
    cost = clickhouse.DecimalField(max_digits=38, decimal_places=12, null=True)
    computed = clickhouse.DecimalField(max_digits=38, decimal_places=12, null=True)
    saved = clickhouse.DecimalField(max_digits=38, decimal_places=12, null=True)
    durations = DurationsField()

    class Meta(ScopedModel.Meta):
        db_table = "usage_quarters"
        verbose_name = _("quarter of usage")
        verbose_name_plural = _("quarters of usage")

    def __str__(self) -> str:
        return f"quarter {self.quarter}: {self.type} {self.model}"

    @classmethod
    def in_scope(cls, scope: Scope) -> Q:
        return Q(project_id=str(scope.project_id)) & touched("quarter", scope, _QUARTER)


class GuardrailRun(ScopedModel):
    """One row for each run of a guardrail; two that were sent until they are merged."""

    row_keys = ("started", "trace_id", "guardrail", "mode", "span_id")
    listed = ("started", "guardrail", "mode", "outcome", "service", "trace_id", "span_id", "ended")

    project_id = clickhouse.StringField(low_cardinality=True)
    started = clickhouse.DateTime64Field(precision=9)
    trace_id = clickhouse.StringField()
    guardrail = clickhouse.StringField(low_cardinality=True)
    mode = clickhouse.StringField(low_cardinality=True)
    ended = clickhouse.DateTime64Field(precision=9)
    outcome = clickhouse.StringField(low_cardinality=True)
    span_id = clickhouse.StringField(primary_key=True)
    service = clickhouse.StringField(low_cardinality=True)
    teller = clickhouse.UInt64Field()

    class Meta(ScopedModel.Meta):
        db_table = "guardrail_runs"
        verbose_name = _("guardrail run")
        verbose_name_plural = _("guardrail runs")

    def __str__(self) -> str:
        return f"{self.guardrail} ({self.mode}): {self.outcome}"

    @classmethod
    def in_scope(cls, scope: Scope) -> Q:
        return Q(project_id=str(scope.project_id)) & between("started", scope)


class InboxRequest(ScopedModel):
    """A request that is acknowledged and whose spans are not stored yet. Older than a minute, it is stuck."""

    row_keys = ("received_at", "digest", "segment")
    listed = ("received_at", "segment", "key_id", "spans", "digest")

    segment = clickhouse.StringField()
    received_at = clickhouse.DateTime64Field(precision=3)
    project_id = clickhouse.UUIDField()
    key_id = clickhouse.UUIDField()
    digest = HexField(max_bytes=16, primary_key=True)
    spans = clickhouse.UInt32Field()
    body = BytesField()
    span_ids = SpanIdsField()

    class Meta(ScopedModel.Meta):
        db_table = "otlp_inbox"
        verbose_name = _("waiting request")
        verbose_name_plural = _("waiting requests")

    def __str__(self) -> str:
        return f"{self.spans} spans of key {self.key_id}"

    @classmethod
    def in_scope(cls, scope: Scope) -> Q:
        return Q(project_id=scope.project_id) & between("received_at", scope)


class UnreadableRequest(ScopedModel):
    """A request that ClickHouse cannot decode, kept for thirty days for people to look at."""

    row_keys = ("received_at", "digest")
    listed = ("received_at", "reason", "key_id", "spans", "digest")

    received_at = clickhouse.DateTime64Field(precision=3)
    project_id = clickhouse.UUIDField()
    key_id = clickhouse.UUIDField()
    digest = HexField(max_bytes=16, primary_key=True)
    spans = clickhouse.UInt32Field()
    body = BytesField()
    reason = clickhouse.StringField()

    class Meta(ScopedModel.Meta):
        db_table = "otlp_unreadable"
        verbose_name = _("unreadable request")
        verbose_name_plural = _("unreadable requests")

    def __str__(self) -> str:
        return f"{self.reason}"

    @classmethod
    def in_scope(cls, scope: Scope) -> Q:
        return Q(project_id=scope.project_id) & between("received_at", scope)
