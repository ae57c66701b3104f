"""Whoever changes an object of the store writes a migration, and migrations never change with the code."""

import sys
from dataclasses import replace
from importlib import import_module
from types import ModuleType

import pytest
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader

from traces.store.dialects import DIALECTS, Dialect
from traces.store.rollups.all import TIMES_VIEW
from traces.store.rollups.guardrail_runs import GUARDRAIL_RUNS
from traces.store.rollups.trace_summaries import TRACE_SUMMARIES
from traces.store.rollups.usage import USAGE
from traces.store.schema.objects import Index
from traces.store.schema.tables import spans_table
from traces.store.shape.description import Description, description
from traces.store.shape.operation import lacking

MADE_UP = Dialect(name="made_up", reference="https://example.com/spec", values={"model": ("acme.brain",)})
_WITH_ANOTHER_FIGURE = replace(
    TRACE_SUMMARIES, values={**TRACE_SUMMARIES.values, "cached_calls": ("SimpleAggregateFunction(sum, UInt64)", "1")}
)
_TODAY = description()
_USAGE_VIEWS = {"usage_quarters_mv", "usage_quarters_verdicts_mv"}


def migrations() -> dict[str, Migration]:
    found = MigrationLoader(None).disk_migrations
    return {name: migration for (app, name), migration in found.items() if app == "traces"}


def test_every_change_of_the_store_has_its_migration() -> None:
    text = lacking(migrations(), description())
    assert not text, text


@pytest.mark.parametrize(
    ("changed", "objects"),
    [
        (description(rollups=(_WITH_ANOTHER_FIGURE, USAGE, GUARDRAIL_RUNS)), {"trace_summaries_mv"}),
        (description(rollups=(TRACE_SUMMARIES, replace(USAGE, where="true"), GUARDRAIL_RUNS)), _USAGE_VIEWS),
        (description(dialects=(*DIALECTS, MADE_UP)), {"otel_traces", "otlp_to_otel_traces"}),
        (replace(_TODAY, views=(replace(TIMES_VIEW, text="SELECT 1"),)), {"otel_traces_trace_id_ts"}),
        (
            replace(
                _TODAY,
                tables=(replace(spans_table(), indexes={"idx_span_id": Index("SpanId", "minmax", 8)}),),
            ),
            {"otel_traces"},
        ),
    ],
    ids=["a figure", "which spans count", "a dialect", "a view", "an index"],
)
def test_a_change_without_a_migration_is_named_with_what_to_write(changed: Description, objects: set[str]) -> None:
    text = lacking(migrations(), changed)

    assert "needs a migration" in text
    for name in objects:
        assert f'"{name}": "{changed.fingerprints()[name]}"' in text
    others = changed.fingerprints().keys() - objects
    assert not [name for name in others if f'"{name}"' in text]


def test_an_object_that_is_gone_needs_one_too() -> None:
    assert '"otel_traces_trace_id_ts": ""' in lacking(migrations(), replace(_TODAY, views=_TODAY.views[:1]))


def test_no_migration_is_made_of_todays_figures_or_columns() -> None:
    """What ClickHouse gets from a migration is the same for ever: nothing in one comes from code that changes."""
    changing = (
        *("traces.store.figures", "traces.store.dialects", "traces.store.rollups", "traces.store.tags"),
        *("traces.store.schema.tables", "traces.store.schema.typed_columns", "traces.store.shape.description"),
    )
    for name in migrations():
        module = import_module(f"traces.migrations.{name}")
        used = {_module_of(value) for value in vars(module).values()}
        assert not {each for each in used if each.startswith(changing)}, name


def _module_of(value: object) -> str:
    if isinstance(value, ModuleType):
        return value.__name__
    module = getattr(value, "__module__", "")
    return module if module in sys.modules else ""
