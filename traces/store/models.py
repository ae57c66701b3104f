"""Spans as the ORM sees them (ClickHouse)."""

from clickhouse_backend import models as clickhouse


class Span(clickhouse.ClickhouseModel):
    """One row per span of `otel_traces`; its table belongs to traces/store/schema/tables.py.

    Pages and APIs read spans through `traces/store/queries`, which know project and time range, not through the ORM.
    """

    SpanId = clickhouse.StringField(primary_key=True)
    TraceId = clickhouse.StringField()
    ParentSpanId = clickhouse.StringField()
    TraceState = clickhouse.StringField()
    Timestamp = clickhouse.DateTime64Field(precision=9)
    Duration = clickhouse.UInt64Field()
    SpanName = clickhouse.StringField(low_cardinality=True)
    SpanKind = clickhouse.StringField(low_cardinality=True)
    ServiceName = clickhouse.StringField(low_cardinality=True)
    ScopeName = clickhouse.StringField()
    ScopeVersion = clickhouse.StringField()
    StatusCode = clickhouse.StringField(low_cardinality=True)
    StatusMessage = clickhouse.StringField()
    ResourceAttributes = clickhouse.MapField(clickhouse.StringField(low_cardinality=True), clickhouse.StringField())
    SpanAttributes = clickhouse.MapField(clickhouse.StringField(low_cardinality=True), clickhouse.StringField())

    class Meta:
        managed = False
        db_table = "otel_traces"

    def __str__(self) -> str:
        return f"{self.SpanName} {self.TraceId}/{self.SpanId}"
