"""Models that were called, in all projects: for whoever keeps the price book, never for a project.

Names are without the date of a version, as in the roll-up that is asked: its cost follows models and quarters of an
hour, not spans.
"""

from typing import Any

from django.db import connections

from agentops_portal.units import NS_OF_QUARTER
from traces.store.rollups.rollup import units_since_1970
from traces.store.rollups.usage import USAGE

from .models import ModelPrice

DAYS = 30
MOST = 200
_CALLED = (
    f"FROM {USAGE.table} WHERE type IN ('llm', 'embedding') AND model != '' "
    f"AND quarter >= {units_since_1970(f'now64(9) - toIntervalDay({DAYS})', NS_OF_QUARTER)}"
)


def unpriced_models() -> dict[tuple[str, str], int]:
    """(provider, model) → calls of the last DAYS days of which nobody knows the cost; the MOST most called, the most
    called first. What failed before it had tokens is not among them, nor what tells no tokens of a model that has a
    price: for those a price would change nothing.
    """
    rows = _asked(
        "SELECT toString(provider), toString(model), sum(spans) AS calls, sum(tokens) "
        f"{_CALLED} AND NOT is_priced AND (status != 'Error' OR tokens > 0) "
        f"GROUP BY provider, model HAVING calls > 0 ORDER BY calls DESC, model LIMIT {MOST}"
    )
    silent = [model.lower() for _, model, _, tokens in rows if not tokens]
    priced = set(ModelPrice.objects.filter(model__in=silent).exclude(rates={}).values_list("model", flat=True))
    return {(provider, model): calls for provider, model, calls, _ in rows if model.lower() not in priced}


def called_models() -> set[tuple[str, str]]:
    """(provider, model) of the calls of the last DAYS days."""
    return {(provider, model) for provider, model in _asked(f"SELECT DISTINCT provider, model {_CALLED}")}


def _asked(sql: str) -> list[tuple[Any, ...]]:
    with connections["clickhouse"].cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())
