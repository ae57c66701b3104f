"""Figures as people read them. The template filters of the same names are in templatetags/figures.py."""

from decimal import ROUND_HALF_UP, Decimal

from django.utils.formats import number_format
from django.utils.translation import gettext as _

NS = 1
US = 1_000 * NS
MS = 1_000 * US
SECOND = 1_000 * MS
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE


def cut(text: str, limit: int) -> str:
    """At most `limit` characters, the last one `…` when there were more."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def count(number: int) -> str:
    """12345 → 12,345 (in the reader's notation)."""
    return number_format(number, use_l10n=True, force_grouping=True)


def compact(number: int) -> str:
    """Counts of a million and more in three digits: 1.21 M, 34.5 G; smaller ones as they are."""
    for size, unit in ((10**12, "T"), (10**9, "G"), (10**6, "M")):
        if number >= size:
            return f"{_three_digits(number / size)} {unit}"
    return count(number)


def percent(share: float | None) -> str:
    """0.1234 → 12.3 %; whole percents from 99.95 on; below 0.1 % two digits, for a rare thing is not nothing."""
    if share is None:
        return "–"
    value = 100 * share
    digits = 0 if value >= 99.95 or value == 0 else 2 if value < 0.1 else 1
    return f"{number_format(round(value, digits), decimal_pos=digits, use_l10n=True)} %"


def duration(nanoseconds: int) -> str:
    """Three significant digits in the unit that fits: 840 ns, 12.4 ms, 3.05 s; from a minute on 4 m 05 s, 2 h 10 m."""
    if nanoseconds < US:
        return f"{nanoseconds} ns" if nanoseconds else "0 s"
    if nanoseconds < MS - MS // 2000:
        return f"{_three_digits(nanoseconds / US)} µs"
    if nanoseconds < SECOND - SECOND // 2000:
        return f"{_three_digits(nanoseconds / MS)} ms"
    if nanoseconds < MINUTE - SECOND // 20:
        return f"{_three_digits(nanoseconds / SECOND)} s"
    if nanoseconds < HOUR - SECOND // 2:
        minutes, seconds = divmod(round(nanoseconds / SECOND), 60)
        return _("%(minutes)d m %(seconds)02d s") % {"minutes": minutes, "seconds": seconds}
    hours, minutes = divmod(round(nanoseconds / MINUTE), 60)
    return _("%(hours)d h %(minutes)02d m") % {"hours": hours, "minutes": minutes}


def rough_duration(seconds: int) -> str:
    """The size of a time, in one unit: 12 s, 5 min, 3 h, 4 d."""
    for size, text in ((86_400, _("%(count)d d")), (3_600, _("%(count)d h")), (60, _("%(count)d min"))):
        if seconds >= 0.99 * size:  # an hour that lost a moment on the way is still one
            return text % {"count": round(seconds / size)}
    return _("%(count)d s") % {"count": seconds}


def _three_digits(value: float) -> str:
    if value >= 99.95:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"


def dollars(amount: Decimal) -> str:
    """US dollars: cents from a cent on ($12.34), below that two significant digits ($0.000016), and $0 for nothing."""
    if amount == 0:
        return "$0"
    digits = 2 if abs(amount) >= Decimal("0.01") else -amount.adjusted() + 1
    rounded = amount.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)
    return f"${number_format(rounded, decimal_pos=digits, use_l10n=True, force_grouping=True)}"
