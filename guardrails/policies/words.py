"""What a policy says, in words."""

from decimal import Decimal

from django.utils.translation import gettext as _

from guardrails.incidents.words import amount

from .kinds import KINDS, Dimension, Kind
from .models import EVERY_DAY, Policy


def rule(policy: Policy) -> str:
    """Such as “Error rate ≥ 5.0 % within 15 minutes”."""
    kind = Kind(policy.kind)
    figure = str(kind.label)
    if policy.dimension != Dimension.PROJECT:
        figure = f"{figure} ({policy.get_dimension_display()})"
    if kind in (Kind.NO_DATA, Kind.GUARDRAIL_SILENT) and policy.threshold == 1:
        return _("%(figure)s for %(window)s") % {"figure": figure, "window": policy.get_window_display()}
    words = {
        "figure": figure,
        "sign": "<" if KINDS[kind].is_floor else "≥",
        "limit": amount(kind, policy.threshold),
        "window": policy.get_window_display(),
    }
    if kind == Kind.COST_BUDGET:
        return _("%(figure)s %(sign)s %(limit)s %(window)s") % words
    return _("%(figure)s %(sign)s %(limit)s within %(window)s") % words


def hours(policy: Policy) -> str:
    """When it opens incidents; "" for always."""
    if policy.from_hour == 0 and policy.until_hour == 24 and len(policy.weekdays) == len(EVERY_DAY):
        return ""
    from guardrails.reports.models import Weekday

    days = ", ".join(str(Weekday(day).label) for day in sorted(policy.weekdays))
    shown = _("every day") if len(policy.weekdays) == len(EVERY_DAY) else days
    return f"{shown}, {policy.from_hour:02d}:00–{policy.until_hour:02d}:00 {policy.timezone}"


def in_percent(kind: str, value: Decimal | None) -> Decimal | None:
    """As forms show a value: shares in percent."""
    if value is None:
        return None
    shown = value * 100 if KINDS[kind].unit == "share" else value
    return Decimal(f"{shown.normalize():f}")
