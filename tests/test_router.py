import pytest
from clickhouse_backend import models as clickhouse
from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import connections, models, router
from django.db.migrations.state import ModelState, ProjectState

from agentops_portal.clickhouse.router import ClickHouseRouter
from projects.models import Project
from traces.models import Span

POSTGRES, CLICKHOUSE = "default", "clickhouse"


def test_spans_live_in_clickhouse_and_everything_else_in_postgresql() -> None:
    stores = {model._meta.label: router.db_for_write(model) for model in apps.get_models()}

    assert stores.pop("traces.Span") == CLICKHOUSE
    in_clickhouse = {label for label, store in stores.items() if store == CLICKHOUSE}
    assert all(issubclass(apps.get_model(label), clickhouse.ClickhouseModel) for label in in_clickhouse)
    assert stores["projects.Project"] == stores["auth.Permission"] == POSTGRES


def test_reads_go_where_writes_go() -> None:
    assert all(router.db_for_read(model) == router.db_for_write(model) for model in apps.get_models())


def test_no_relation_crosses_the_stores() -> None:
    assert not router.allow_relation(Span(), Project())
    assert not router.allow_relation(Project(), Span())
    assert router.allow_relation(Project(), get_user_model()())
    assert router.allow_relation(Span(), Span())


def test_no_model_has_a_field_that_points_into_the_other_store() -> None:
    crossing = [
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field.related_model, type)
        and (router.db_for_write(model) != router.db_for_write(field.related_model))
    ]

    assert crossing == []


@pytest.mark.parametrize(
    ("hints", "store"),
    [
        ({}, POSTGRES),
        ({"clickhouse": True}, CLICKHOUSE),
        ({"clickhouse": False}, POSTGRES),
        ({"model_name": "span"}, CLICKHOUSE),
        ({"model_name": "Span"}, CLICKHOUSE),
        ({"model_name": "deleted_long_ago"}, POSTGRES),
        ({"model_name": "span", "clickhouse": False}, POSTGRES),
    ],
)
def test_an_operation_runs_on_exactly_one_store(hints: dict[str, object], store: str) -> None:
    model_name = hints.pop("model_name", None)

    allowed = {db for db in connections if router.allow_migrate(db, "traces", model_name=model_name, **hints)}

    assert allowed == {store}


def test_the_model_of_a_migration_goes_where_the_model_of_today_goes() -> None:
    state = ProjectState.from_apps(apps)
    for label in ("traces.span", "projects.project"):
        past = state.apps.get_model(label)
        assert not issubclass(past, clickhouse.ClickhouseModel)  # the abstract base is gone in a migration
        allowed = {db for db in connections if router.allow_migrate_model(db, past)}
        assert allowed == {router.db_for_write(apps.get_model(label))}


def test_a_clickhouse_model_that_was_deleted_since_is_known_by_its_engine() -> None:
    state = ProjectState()
    state.add_model(
        ModelState(
            "traces",
            "Forgotten",
            [("id", models.BigAutoField(primary_key=True))],
            {"engine": clickhouse.MergeTree(order_by="id")},
        )
    )

    allowed = {db for db in connections if router.allow_migrate_model(db, state.apps.get_model("traces.forgotten"))}

    assert allowed == {CLICKHOUSE}


def test_the_settings_name_this_router() -> None:
    assert [type(each) for each in router.routers] == [ClickHouseRouter]
