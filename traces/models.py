"""The ORM's view of the span store. Pages and APIs read it through `traces/queries`, not through the ORM."""

from clickhouse_backend import models


class Span(models.ClickhouseModel):
    """One row per span of `otel_traces`; its table belongs to traces/schema/tables.py."""

    SpanId = models.StringField(primary_key=True)
    TraceId = models.StringField()
    ParentSpanId = models.StringField()
    TraceState = models.StringField()
    Timestamp = models.DateTime64Field(precision=9)
    Duration = models.UInt64Field()
    SpanName = models.StringField(low_cardinality=True)
    SpanKind = models.StringField(low_cardinality=True)
    ServiceName = models.StringField(low_cardinality=True)
    ScopeName = models.StringField()
    ScopeVersion = models.StringField()
    StatusCode = models.StringField(low_cardinality=True)
    StatusMessage = models.StringField()
    ResourceAttributes = models.MapField(models.StringField(low_cardinality=True), models.StringField())
    SpanAttributes = models.MapField(models.StringField(low_cardinality=True), models.StringField())

    class Meta:
        managed = False
        db_table = "otel_traces"

    def __str__(self) -> str:
        return f"{self.SpanName} {self.TraceId}/{self.SpanId}"
