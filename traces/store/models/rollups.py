"""What is added up of spans whenever some are stored."""

from clickhouse_backend import models as clickhouse
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from agentops_portal.clickhouse.gate import Scope
from agentops_portal.clickhouse.scoped import ScopedModel, between, touched
from agentops_portal.units import NS_OF_DAY, NS_OF_QUARTER, NS_OF_SECOND

from .fields import DurationsField

_DAY = NS_OF_DAY // NS_OF_SECOND
_QUARTER = NS_OF_QUARTER // NS_OF_SECOND


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
