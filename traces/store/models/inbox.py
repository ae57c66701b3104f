"""Requests that are not stored yet, and those that never will be."""

from clickhouse_backend import models as clickhouse
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from agentops_portal.clickhouse.gate import Scope
from agentops_portal.clickhouse.scoped import ScopedModel, between

from .fields import BytesField, HexField, SpanIdsField


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
