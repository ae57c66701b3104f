"""How figures and events are written, in pages and messages."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from agentops_portal import formats
from guardrails.policies.kinds import KINDS, Kind, Window

from .models import EventKind, Severity


def amount(kind: str, value: Decimal | str | None) -> str:
    """A value or limit of a kind of policy: 5.0 %, $12.50, 1,200."""
    if value is None:
        return "–"
    number = Decimal(value)
    unit = KINDS[kind].unit
    if unit == "share":
        return formats.percent(float(number))
    return formats.dollars(number) if unit == "dollars" else formats.count(int(number))


def headline(event: Mapping[str, Any]) -> str:
    """One line: what happened to which figure of what."""
    policy, incident = event["policy"], event["incident"]
    kind = Kind(policy["kind"]).label
    words = {
        "figure": f"{kind} ({incident['subject']})" if incident["subject"] else kind,
        "value": amount(policy["kind"], event["value"]),
        "limit": amount(policy["kind"], event["threshold"]),
        "project": event["project"]["name"],
    }
    if event["event"] == EventKind.RESOLVED:
        return _("%(project)s: %(figure)s is back, %(value)s (limit %(limit)s)") % words
    return _("%(project)s: %(figure)s %(value)s (limit %(limit)s)") % words


def facts(event: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Label and text of all else that there is to say."""
    policy = event["policy"]
    at = timezone.localtime(datetime.fromisoformat(event["at"]))
    rows = [
        (_("Policy"), policy["name"]),
        (_("Event"), str(EventKind(event["event"]).label)),
        (_("Severity"), str(Severity(event["incident"]["severity"]).label)),
        (_("Counted over"), str(Window(policy["window"]).label)),
        (_("Time"), f"{at:%Y-%m-%d %H:%M %Z}"),
    ]
    if event["by"]:
        rows.append((_("By"), event["by"]))
    if event["note"]:
        rows.append((_("Note"), note_text(event["note"])))
    return rows


def note_text(note: str) -> str:
    """What the portal itself noted, in words; a person's note as it is."""
    name, _equals, number = note.partition("=")
    if name == "unknown_cost_calls" and number.isdigit():
        return ngettext(
            "%(number)s LLM call whose cost nobody knows is not in it",
            "%(number)s LLM calls whose cost nobody knows are not in it",
            int(number),
        ) % {"number": formats.count(int(number))}
    return _("Nothing happened in the window any more.") if note == "quiet" else note


def subject_line(events: list[dict[str, Any]]) -> str:
    first = headline(events[0])
    if len(events) == 1:
        prefix = _("Resolved") if events[0]["event"] == EventKind.RESOLVED else _("Incident")
        return f"{prefix}: {first}"
    return ngettext("%(number)d incident event: %(first)s", "%(number)d incident events: %(first)s", len(events)) % {
        "number": len(events),
        "first": first,
    }
