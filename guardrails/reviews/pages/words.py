"""Precision as people read it: never a share without its doubt."""

from django.utils.translation import gettext as _

from agentops_portal import formats

from ..precision import ENOUGH, Precision


def shown_precision(precision: Precision) -> str:
    """`92 % (84 % to 96 %)`, or that too few were judged."""
    if precision.value is None or precision.interval is None:
        return _("not enough reviews (%(judged)s of %(enough)s)") % {"judged": precision.judged, "enough": ENOUGH}
    low, high = map(formats.percent, precision.interval)
    return _("%(share)s (%(low)s to %(high)s)") % {"share": formats.percent(precision.value), "low": low, "high": high}
