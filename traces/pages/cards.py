"""Figures as dashboards show them: a value, how it changed, its way through the range, and what stands behind it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeVar

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from agentops_portal import formats

Better = Literal["higher", "lower", ""]
Value = int | float | Decimal
F = TypeVar("F")  # the figures of a range
NOTICED = 0.0005  # a smaller change is none


@dataclass(frozen=True)
class Change:
    """Against the compared range."""

    text: str  # such as +12 %
    direction: Literal["up", "down", "same"]
    is_good: bool | None  # None: neither good nor bad
    before: str  # the compared value


@dataclass(frozen=True)
class Card:
    label: str | Promise
    value: str
    help: str | Promise  # the definition
    series: Sequence[float | None] = ()  # by step; None: there was nothing to measure
    change: Change | None = None
    exact: str = ""
    note: str = ""
    address: str = ""  # of what stands behind it
    tone: Literal["", "bad", "warn"] = ""


def change(now: Value | None, before: Value | None, show: Callable[..., str], better: Better = "") -> Change | None:
    """Of an amount, in percent of what it was; None when there is nothing to compare."""
    if now is None or before is None:
        return None
    if before == 0:
        text = _("new") if now else _("no change")
        return Change(text, "up" if now else "same", _goodness(1 if now else 0, better), show(before))
    part = float(now) / float(before) - 1
    text = f"{part:+.0%}" if abs(part) >= 0.0995 else f"{part:+.1%}"
    if abs(part) >= 9.995:
        text = f"×{float(now) / float(before):.0f}"
    return _changed(part, text.replace("%", " %"), show(before), better)


def share_change(now: float | None, before: float | None, better: Better = "") -> Change | None:
    """Of a share (0 to 1), in percentage points."""
    if now is None or before is None:
        return None
    text = _("%(points)s pts") % {"points": f"{100 * (now - before):+.1f}"}
    return _changed(now - before, text, formats.percent(before), better)


def change_of(
    now: F, before: F | None, figure: Callable[[F], Value | None], show: Callable[..., str], better: Better = ""
) -> Change | None:
    """The same of one figure of all those of two ranges."""
    return change(figure(now), figure(before), show, better) if before is not None else None


def share_change_of(now: F, before: F | None, share: Callable[[F], float | None], better: Better = "") -> Change | None:
    return share_change(share(now), share(before), better) if before is not None else None


def _changed(difference: float, text: str, before: str, better: Better) -> Change:
    if abs(difference) < NOTICED:
        return Change(_("no change"), "same", None, before)
    return Change(text.replace("-", "−"), "up" if difference > 0 else "down", _goodness(difference, better), before)


def _goodness(difference: float, better: Better) -> bool | None:
    if not better or not difference:
        return None
    return (difference > 0) == (better == "higher")


def ratio(part: Value, whole: Value) -> float | None:
    """None when there is no whole."""
    return float(part) / float(whole) if whole else None
