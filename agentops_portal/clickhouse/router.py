"""Sends models that subclass django-clickhouse-backend's ClickhouseModel to ClickHouse, and nothing else."""

from typing import Any

from clickhouse_backend.models import ClickhouseModel
from django.apps import apps
from django.db import models

from .client import ALIAS

# A migration operation without a model says with this hint where it belongs: hints={"clickhouse": True}.
HINT = "clickhouse"


class ClickHouseRouter:
    """https://docs.djangoproject.com/en/5.2/topics/db/multi-db/#using-routers"""

    def db_for_read(self, model: type[models.Model], **hints: Any) -> str | None:
        return ALIAS if is_clickhouse_model(model) else None

    def db_for_write(self, model: type[models.Model], **hints: Any) -> str | None:
        return ALIAS if is_clickhouse_model(model) else None

    def allow_relation(self, one: models.Model, other: models.Model, **hints: Any) -> bool | None:
        """No relation across the two stores: neither can join, cascade or lock in the other."""
        # Not type(): that of request.user is a proxy's.
        same_store = is_clickhouse_model(one.__class__) == is_clickhouse_model(other.__class__)
        return None if same_store else False

    def allow_migrate(self, db: str, app_label: str, model_name: str | None = None, **hints: Any) -> bool:
        """An operation belongs to exactly one store; one that names neither a model nor the hint is PostgreSQL's."""
        return (db == ALIAS) == self._belongs_to_clickhouse(app_label, model_name, hints)

    def _belongs_to_clickhouse(self, app_label: str, model_name: str | None, hints: dict[str, Any]) -> bool:
        if HINT in hints:
            return bool(hints[HINT])
        model = hints.get("model")
        if model is not None and is_clickhouse_model(model):
            return True
        if model_name is None:
            return False
        # A model as a migration sees it has lost its abstract base class, so today's class is asked, too.
        try:
            return issubclass(apps.get_model(app_label, model_name), ClickhouseModel)
        except LookupError:
            return False


def is_clickhouse_model(model: type[models.Model]) -> bool:
    """True for a ClickhouseModel, and for a migration's copy of one that had an engine."""
    return issubclass(model, ClickhouseModel) or hasattr(model._meta, "engine")
