"""Models whose calls have no known cost, in all projects: for whoever keeps the price book, never for a project."""

from django.db import connections

from traces.store.schema.rates import priced
from traces.store.schema.tables import SPANS

DAYS = 30
MOST = 200


def unpriced_models() -> dict[tuple[str, str], int]:
    """(provider, model) → calls of the last DAYS days of which nobody knows the cost; the MOST most called, the most
    called first. What failed before it had tokens, and what tells no units, is not among them.
    """
    calls = priced(
        f"SELECT toString(provider), toString(model), count() AS calls FROM {SPANS} "
        f"WHERE is_llm_call AND model != '' AND NOT cache_hit AND isNull(reported_cost) AND isNull(computed_cost) "
        f"AND (input_tokens + output_tokens > 0 OR units > 0) AND Timestamp > now64(9) - toIntervalDay({DAYS}) "
        f"GROUP BY provider, model ORDER BY calls DESC, model LIMIT {MOST}"
    )
    with connections["clickhouse"].cursor() as cursor:
        cursor.execute(calls)
        return {(provider, model): count for provider, model, count in cursor.fetchall()}
