"""Filters that write figures for people: see agentops_portal/formats.py."""

from datetime import datetime
from decimal import Decimal

from django import template
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.utils import timezone
from django.utils.translation import pgettext

from agentops_portal import formats
from agentops_portal.units import datetime_of
from traces.store.figures import Cost
from traces.store.queries.person_keys import person_key

register = template.Library()
register.filter("count", formats.count)
register.filter("compact", formats.compact)
register.filter("percent", formats.percent)
register.filter("duration", formats.duration)
register.filter("dollars", formats.dollars)
register.filter("person_key", person_key)


@register.filter
def provenance(cost: Cost) -> str:
    """Where what is known of a cost comes from: `by the price book, 10 % discount`."""
    source = _source(cost)
    if not cost.discounts:
        return source
    percents = ", ".join(f"{percent.normalize():f} %" for percent in cost.discounts)
    return pgettext("cost", "%(source)s, %(percents)s discount") % {"source": source, "percents": percents}


def _source(cost: Cost) -> str:
    if cost.source == "computed":
        return pgettext("cost", "by the price book") if cost.known else pgettext("cost", "free by the price book")
    if cost.source == "mixed":
        return pgettext("cost", "reported and by the price book")
    return pgettext("cost", "reported")


@register.filter
def exact_dollars(amount: Decimal) -> str:
    """Every digit that was reported: $0.0000159."""
    return f"${amount.normalize():f}"


@register.filter
def moment(nanoseconds: int) -> datetime:
    """Nanoseconds since 1970 as a datetime in the reader's time zone."""
    return timezone.localtime(datetime_of(nanoseconds))


@register.filter
def exact(nanoseconds: int) -> str:
    """Date, time to the nanosecond and offset in the reader's time zone: 2026-11-23 21:45:01.123456789 +09:00."""
    local = moment(nanoseconds)
    offset = f"{local:%z}"
    return f"{local:%Y-%m-%d %H:%M:%S}.{nanoseconds % 1_000_000_000:09d} {offset[:3]}:{offset[3:5]}"


@register.filter
def ago(nanoseconds: int) -> str:
    """3 minutes ago; in the reader's language."""
    return str(naturaltime(datetime_of(nanoseconds)))
