"""What the models, providers, services or agents of a project used in time: the dearest one by one, then the rest.

Counted as in usage.py, of which these are the same sums by step.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from agentops_portal.clickhouse.gate import Scope, select

from .steps import Step, key_sql, steps_of
from .usage import NOTHING, Dimension, Usage, dearest, used_by


@dataclass(frozen=True)
class Series:
    """One usage for each step. `name` is '' for what names none, and None for all others."""

    name: str | None
    usages: Sequence[Usage]


@dataclass(frozen=True)
class UsageSeries:
    starts: Sequence[datetime]  # of the steps, as the clocks of the zone cut them
    series: Sequence[Series]  # the dearest first, the rest last


def usage_series(scope: Scope, dimension: Dimension, step: Step, zone: ZoneInfo, limit: int) -> UsageSeries:
    """Of the `limit` names that cost most and of all others together, empty steps included."""
    steps = steps_of(scope, step, zone)
    named = dearest(dimension, limit)
    is_named = f"toString({dimension}) GLOBAL IN ({named.sql})"
    rows = select(
        used_by({"step": key_sql(step), "is_named": is_named, "name": f"if(is_named, toString({dimension}), '')"}),
        name=f"usage_series.by_{dimension}",
        scope=scope,
        parameters={**steps.parameters, **named.parameters},
    )
    found: dict[str | None, dict[int, Usage]] = {}
    for row in rows:
        found.setdefault(row["name"] if row["is_named"] else None, {})[row["step"]] = Usage.of(row)
    names = sorted(found, key=lambda name: (name is None, *_rank(found[name].values()), name or ""))
    used = [name for name in names if name is not None or any(_is_used(usage) for usage in found[None].values())]
    return UsageSeries(
        list(steps.starts.values()),
        [Series(name, [found[name].get(key, NOTHING) for key in steps.starts]) for name in used],
    )


def _rank(usages: Iterable[Usage]) -> tuple[Decimal, int]:
    """What costs most comes first, then what is called most."""
    each = list(usages)
    return -sum((usage.cost.known or Decimal(0) for usage in each), Decimal(0)), -sum(usage.calls for usage in each)


def _is_used(usage: Usage) -> bool:
    """Whether there is anything to be shown: spans that are no calls and cost nothing have no figures."""
    return bool(usage.calls or usage.cost.known is not None)
