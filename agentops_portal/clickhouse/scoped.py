"""Models of ClickHouse's tables that cannot be read without a scope, and not be written at all.

`Span.objects.within(scope).filter(…)` reads one project in one range of time; without `within` a QuerySet that asks
the store for anything (rows, a count, a sum, whether there is one) raises Unscoped: the check sits where Django turns a
query into SQL, so no method can forget it.
"""

from typing import Any, NoReturn, Self

from clickhouse_backend import models as clickhouse
from clickhouse_backend.models.base import ClickhouseManager
from clickhouse_backend.models.query import QuerySet
from clickhouse_backend.models.sql import Query
from django.db.models import Q

from .gate import Scope


class Unscoped(Exception):
    """A question to ClickHouse about no particular project and time."""


class ReadOnly(Exception):
    """ClickHouse's tables are written by the receiver and by its views, not by the ORM."""


class ScopedQuery(Query):
    scope: Scope | None = None

    def get_compiler(self, *args: Any, **kwargs: Any) -> Any:
        if self.scope is None and not self.is_empty():
            name = self.model.__name__
            raise Unscoped(f"{name} is read within a project and a range of time: {name}.objects.within(scope).")
        return super().get_compiler(*args, **kwargs)

    def combine(self, rhs: Any, connector: str) -> None:
        if getattr(rhs, "scope", None) != self.scope:
            raise Unscoped("Only QuerySets within the same scope are combined.")
        super().combine(rhs, connector)


class ScopedQuerySet(QuerySet):
    def within(self, scope: Scope) -> Self:
        """The rows of the scope's project whose time lies in its range; of a roll-up, those that the range touches."""
        if self.query.scope is not None:
            raise ValueError("The QuerySet has a scope already.")
        found: Self = self.filter(self.model.in_scope(scope))
        found.query.scope = scope
        return found

    def raw(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise Unscoped("SQL text is asked through agentops_portal.clickhouse.gate.select.")

    def delete(self) -> NoReturn:
        _refuse()

    def update(self, **values: Any) -> NoReturn:
        _refuse()

    def bulk_create(self, *args: Any, **kwargs: Any) -> NoReturn:
        _refuse()

    def _insert(self, *args: Any, **kwargs: Any) -> NoReturn:
        _refuse()

    def _update(self, *args: Any, **kwargs: Any) -> NoReturn:
        _refuse()

    def _raw_delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        _refuse()


class ScopedManager(ClickhouseManager):
    def get_queryset(self) -> ScopedQuerySet:
        return ScopedQuerySet(model=self.model, query=ScopedQuery(self.model), using=self._db, hints=self._hints)

    def within(self, scope: Scope) -> ScopedQuerySet:
        return self.get_queryset().within(scope)


class ScopedModel(clickhouse.ClickhouseModel):
    """row_keys: the fields that tell a row from others, the first of them its time; listed: those a list shows."""

    objects = ScopedManager()
    _overwrite_base_manager = ScopedManager()

    row_keys: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()

    class Meta:
        abstract = True
        managed = False  # the tables are those of migrations
        base_manager_name = "_overwrite_base_manager"

    @classmethod
    def in_scope(cls, scope: Scope) -> Q:
        """The condition that `within` adds."""
        raise NotImplementedError

    def save(self, *args: Any, **kwargs: Any) -> NoReturn:
        _refuse()

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        _refuse()


def between(field: str, scope: Scope) -> Q:
    """Rows whose time lies in the scope's range. One without an end holds the last moment that can be stored."""
    since = Q(**{f"{field}__gte": scope.start})
    return since if scope.has_no_end else since & Q(**{f"{field}__lt": scope.end})


def touched(field: str, scope: Scope, seconds: int) -> Q:
    """Rows whose unit of so many seconds, numbered since 1970, the scope's range touches."""
    first, last = int(scope.start.timestamp() // seconds), -int(-scope.end.timestamp() // seconds)
    return Q(**{f"{field}__gte": first, f"{field}__lt": last})


def _refuse() -> NoReturn:
    raise ReadOnly("ClickHouse's tables are written by the receiver and by its views, not by the ORM.")
