"""What a report says: from the JSON of contents.py to a Document, in the language that is active."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from agentops_portal.formats import count

from ..contents import is_empty
from ..models import Section
from . import links
from .document import Document, Fact, change_ratio, days, name_of, percent, ratio_of
from .notes import notes_of
from .tables import tables_of

Figures = Mapping[str, Any]


def document_of(figures: Figures, report_link: str) -> Document:
    """`report_link`: the address of the report's own page."""
    period = figures["period"]
    empty = is_empty(figures)
    return Document(
        title=name_of(figures["name"]),
        subject=name_of(figures["of"]["name"]),
        period=period_text(figures),
        badges=tuple(_badges(figures)),
        headline=headline(figures),
        also=tuple(_also(figures)) if not empty else (),
        facts=tuple(_facts(figures)) if not empty else (),
        tables=tuple(tables_of(figures, ZoneInfo(period["timezone"]))) if not empty else (),
        notes=tuple(notes_of(figures)),
        link=report_link,
        is_empty=empty,
    )


def period_text(figures: Figures) -> str:
    period = figures["period"]
    text = days(period["first"], period["last"])
    return f"{text} ({period['iso_week']})" if period["iso_week"] else text


def subject_line(figures: Figures) -> str:
    """Of the e-mail, without what would let a name become a header."""
    blocked = figures["totals"]["blocked"]
    words = {"name": name_of(figures["name"]), "of": name_of(figures["of"]["name"]), "period": period_text(figures)}
    if is_empty(figures):
        return _("%(name)s · %(of)s · %(period)s: nothing happened") % words
    text = ngettext(
        "%(name)s · %(of)s · %(period)s: %(blocked)s blocked",
        "%(name)s · %(of)s · %(period)s: %(blocked)s blocked",
        blocked,
    )
    return text % {**words, "blocked": count(blocked)}


def headline(figures: Figures) -> str:
    """One sentence that needs no other."""
    totals, before = figures["totals"], figures["totals_before"]
    if is_empty(figures):
        return _("Nothing happened: no guardrail ran and no model was called.")
    if not totals["checks"]:
        return _("No guardrail ran, while models were called %(calls)s times.") % {"calls": count(totals["calls"])}
    words = {
        "blocked": count(totals["blocked"]),
        "checks": count(totals["checks"]),
        "rate": percent(totals["blocked"] / totals["checks"]),
    }
    change = change_ratio(totals["blocked"], before["blocked"])
    if not before["checks"]:
        return _("Guardrails blocked %(blocked)s of %(checks)s checks (%(rate)s).") % words
    if change is None or round(100 * change) == 0:
        if totals["blocked"] == before["blocked"] or change is not None:
            return _("Guardrails blocked %(blocked)s of %(checks)s checks (%(rate)s), as many as before.") % words
        return _("Guardrails blocked %(blocked)s of %(checks)s checks (%(rate)s), after none before.") % words
    words["change"] = f"{count(abs(round(100 * change)))} %"
    if change > 0:
        return _("Guardrails blocked %(blocked)s of %(checks)s checks (%(rate)s), %(change)s more than before.") % words
    return _("Guardrails blocked %(blocked)s of %(checks)s checks (%(rate)s), %(change)s fewer than before.") % words


def _badges(figures: Figures) -> list[str]:
    found = []
    if figures["revision"] > 1:
        found.append(_("Corrected, version %(number)s") % {"number": figures["revision"]})
    if figures["is_late"]:
        found.append(_("Late: the portal was not running when it was due"))
    return found


def _also(figures: Figures) -> list[str]:
    """What else a reader should know at once."""
    totals, said = figures["totals"], []
    if totals["failed"]:
        text = ngettext(
            "%(count)s check failed: the guardrail itself did not answer.",
            "%(count)s checks failed: the guardrail itself did not answer.",
            totals["failed"],
        )
        said.append(text % {"count": count(totals["failed"])})
    if totals["unknown"]:
        text = ngettext(
            "Of %(count)s check nobody told what came of it.",
            "Of %(count)s checks nobody told what came of them.",
            totals["unknown"],
        )
        said.append(text % {"count": count(totals["unknown"])})
    unseen = totals["traces_with_calls"] - totals["traces_with_calls_and_checks"]
    if unseen and totals["checks"]:
        text = ngettext(
            "%(count)s request called a model and was seen by no guardrail.",
            "%(count)s requests called a model and were seen by no guardrail.",
            unseen,
        )
        said.append(text % {"count": count(unseen)})
    if silent := figures["silent"]:
        names = ", ".join(name_of(row["guardrail"]) for row in silent[:3])
        more = len(silent) - 3
        if more > 0:
            names = _("%(names)s and %(count)s more") % {"names": names, "count": more}
        said.append(_("Silent: %(names)s ran in the period before and not in this one.") % {"names": names})
    return said


def _facts(figures: Figures) -> list[Fact]:
    now, before = figures["totals"], figures["totals_before"]
    had_before = bool(before["checks"] or before["requests"] or before["calls"])
    link = links.in_period(figures)

    def fact(label: str, kind: Any, value: Any, earlier: Any, address: str = link, note: str = "") -> Fact:
        return Fact(label, kind, value, earlier if had_before else None, address, note)

    def amount(label: str, name: str, address: str = link) -> Fact:
        return fact(label, "count", now[name], before[name], address)

    facts = [
        amount(_("Requests"), "requests"),
        amount(_("Checks"), "checks", links.in_period(figures, guardrail="allowed")),
        amount(_("Blocked"), "blocked", links.in_period(figures, guardrail="blocked")),
        amount(_("Masked"), "masked", links.in_period(figures, guardrail="masked")),
        amount(_("Flagged"), "flagged", links.in_period(figures, guardrail="flagged")),
        amount(_("Guardrail failed"), "failed", links.in_period(figures, guardrail="failed")),
        fact(_("Coverage"), "ratio", _coverage(now), _coverage(before), links.in_period(figures, llm="1")),
    ]
    if Section.USAGE in figures["sections"]:
        cost, earlier = _dollars(now["cost"]), _dollars(before["cost"])
        facts.append(amount(_("LLM calls"), "calls", links.in_period(figures, llm="1")))
        facts.append(amount(_("Tokens"), "total_tokens", links.in_period(figures, llm="1")))
        facts.append(fact(_("Cost"), "dollars", cost, earlier, links.in_period(figures, llm="1"), _unknown(now)))
    return facts


def _coverage(totals: Figures) -> float | None:
    return ratio_of(totals["traces_with_calls_and_checks"], totals["traces_with_calls"])


def _dollars(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _unknown(totals: Figures) -> str:
    """How much of the cost nobody knows."""
    share = ratio_of(totals["unknown_cost_calls"], totals["calls"])
    return _("unknown of %(share)s of the calls") % {"share": percent(share)} if share else ""
