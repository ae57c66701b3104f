"""The foot of a report: how complete its figures are, and what they mean."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from agentops_portal.formats import count

from .document import change_ratio, percent, ratio_of, signed_percent

Figures = Mapping[str, Any]


def notes_of(figures: Figures) -> list[tuple[str, str]]:
    """Terms and what is to be said of them."""
    return [*_completeness(figures), *_definitions()]


def _completeness(figures: Figures) -> list[tuple[str, str]]:
    zone, counts = figures["period"]["timezone"], figures["completeness"]
    words = {name: count(counts[name]) for name in counts if name.endswith(("spans", "requests"))}
    received = _(
        "%(accepted_spans)s spans in the hours of this period; %(repeated_spans)s of them sent again, "
        "%(rejected_spans)s spans rejected, %(refused_requests)s requests refused."
    )
    notes = [
        (_("Figures of"), f"{_local(figures['frozen_at'], zone)} ({zone})"),
        (_("Received"), received % words),
    ]
    if counts["last_received_at"]:
        notes.append((_("Newest request"), f"{_local(counts['last_received_at'], zone)} ({zone})"))
    share = ratio_of(figures["totals"]["unknown_cost_calls"], figures["totals"]["calls"])
    if share is not None:
        notes.append((_("Cost unknown"), _("of %(share)s of the calls") % {"share": percent(share)}))
    if late := _late(counts["late"]):
        notes.append((_("Arrived late"), late))
    return notes


def _late(late: Figures | None) -> str:
    """How the period before has grown since its own report."""
    if late is None:
        return ""
    for name, text in (
        ("checks", _("since its report the period before grew by %(change)s checks (%(more)s)")),
        ("requests", _("since its report the period before grew by %(change)s requests (%(more)s)")),
    ):
        then, now = late[name]["then"], late[name]["now"]
        if now > then:
            more = change_ratio(now, then)
            return text % {"change": count(now - then), "more": signed_percent(more) if more else _("new")}
    return _("nothing of the period before since its report")


def _definitions() -> list[tuple[str, str]]:
    return [
        (_("Check"), _("one guardrail that looked at one text; it counts once however often it was sent.")),
        (
            _("Blocked, masked, flagged"),
            _("the guardrail stopped the text, took parts out of it, or let it pass with a remark."),
        ),
        (_("Failed"), _("the guardrail itself did not answer; whether the text passed is the client's matter.")),
        (_("Coverage"), _("requests that called a model and were checked ÷ requests that called a model.")),
        (
            _("Cost"),
            _("US dollars that clients reported or the price book knows; all else is unknown, never counted as 0."),
        ),
        (_("Change"), _("against the period of the same kind before this one.")),
    ]


def _local(moment: str, zone: str) -> str:
    return date_format(datetime.fromisoformat(moment).astimezone(ZoneInfo(zone)), "Y-m-d H:i")
