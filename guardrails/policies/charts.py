"""A policy's figure over time beside its limit, as charts of dashboards."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext as _

from traces.pages.charts import Chart, Line, Unit

from .kinds import KINDS, Kind
from .models import Policy

MOST_POINTS: Final = 240
_WIDTHS: Final = tuple(timedelta(minutes=each) for each in (1, 5, 15, 30, 60, 120, 180, 360))
_UNITS: Final[Mapping[str, Unit]] = {"share": "rate", "count": "count", "dollars": "dollars"}

Series = Mapping[str, Mapping[datetime, Decimal | None]]


def figure_chart(policy: Policy, series: Series, start: datetime, end: datetime) -> Chart:
    """Of each subject the worst value of every stretch, so that no excess is hidden."""
    width = next((each for each in _WIDTHS if (end - start) / each <= MOST_POINTS), _WIDTHS[-1])
    starts = [start + number * width for number in range(max(1, -(-(end - start) // width)))]
    lines = [
        Line(subject or str(Kind(policy.kind).label), _worst_of(policy, values, start, width, len(starts)))
        for subject, values in series.items()
    ]
    limits = [(_("Limit"), policy.threshold, "bad")]
    if policy.warn_at is not None:
        limits.append((_("Warning"), policy.warn_at, "warn"))
    lines += [Line(name, [value] * len(starts), tone) for name, value, tone in limits]  # type: ignore[arg-type]
    return Chart(
        id="figure",
        title=str(Kind(policy.kind).label),
        help=KINDS[policy.kind].help,
        unit=_UNITS[KINDS[policy.kind].unit],
        starts=[timezone.localtime(each) for each in starts],
        step="quarter",
        lines=lines,
        kind="lines",
    )


def _worst_of(
    policy: Policy, values: Mapping[datetime, Decimal | None], start: datetime, width: timedelta, count: int
) -> list[Decimal | None]:
    worse = min if KINDS[policy.kind].is_floor else max
    found: list[Decimal | None] = [None] * count
    for moment, value in values.items():
        place = min(max((moment - start - timedelta(microseconds=1)) // width, 0), count - 1)
        known = found[place]
        if value is not None:
            found[place] = value if known is None else worse(known, value)
    return found
