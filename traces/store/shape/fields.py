"""The models of traces/store/models/ have every column of their tables, with its type."""

import re
from collections.abc import Sequence
from typing import Any

from django.apps.config import AppConfig
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

from agentops_portal.clickhouse.client import ALIAS
from traces.store import models
from traces.store.schema.objects import Table

from .description import Description, description

MODELS = (
    models.Span,
    models.SpanVerdict,
    models.Trace,
    models.UsageQuarter,
    models.GuardrailRun,
    models.InboxRequest,
    models.UnreadableRequest,
)
_AGGREGATE = re.compile(r"SimpleAggregateFunction\(\w+, (.+)\)")


def model_faults(wanted: Description | None = None) -> list[str]:
    """Where a model and its table differ, a sentence each."""
    tables = {table.name: table for table in (wanted or description()).all_tables()}
    return [fault for model in MODELS for fault in _faults(model, tables[model._meta.db_table])]


@register(Tags.models)
def check_fields(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """traces.E001: a model and its table in ClickHouse differ."""
    hint = "Change traces/store/models/, where each column has its field."
    return [Error(fault, hint=hint, id="traces.E001") for fault in model_faults()]


def _faults(model: type[Any], table: Table) -> list[str]:
    fields = {field.column: _type(field.db_type(connections[ALIAS])) for field in model._meta.concrete_fields}
    columns = {name: _type(column.type) for name, column in table.columns.items()}
    return [
        f"{model.__name__}, column {name} of {table.name}: field {fields.get(name)}, column {columns.get(name)}."
        for name in sorted(fields.keys() | columns.keys())
        if fields.get(name) != columns.get(name)
    ]


def _type(text: str) -> str:
    """A type as both sides can say it: an ORM names a time zone, and knows nothing of merging."""
    plain = _AGGREGATE.fullmatch(text)
    return (plain[1] if plain else text).replace(", 'UTC')", ")")
