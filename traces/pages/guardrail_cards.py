"""The figures at the head of the guardrails page, each with its definition and what stands behind it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from agentops_portal import formats
from traces.store.queries.guardrail_steps import Outcomes
from traces.store.queries.guardrails import GuardedTraces

from .cards import Card, change_of, ratio, share_change_of
from .links import Links


@dataclass(frozen=True)
class Figures:
    """Of a range; the steps only of the range that is shown, not of the one it is compared with."""

    runs: Outcomes
    traces: GuardedTraces
    run_steps: Mapping[datetime, Outcomes] = field(default_factory=dict)
    trace_steps: Mapping[datetime, GuardedTraces] = field(default_factory=dict)


def cards(now: Figures, before: Figures | None, links: Links) -> list[Card]:
    """`before`: None when nothing is compared."""
    if before is not None and not before.runs.runs and not before.traces.with_calls:
        before = None  # nothing of the compared range is known: no change can be told
    return [
        _checks(now, before, links),
        _blocks(now, before, links),
        _requests(now, before, links),
        _coverage(now, before, links),
        _outcome(now, before, links, "masked"),
        _outcome(now, before, links, "flagged"),
        _outcome(now, before, links, "failed"),
        *([_outcome(now, before, links, "unknown")] if now.runs.unknown else []),
        _latency(now, before, links),
    ]


def _checks(now: Figures, before: Figures | None, links: Links) -> Card:
    return Card(
        label=_("Checks"),
        value=formats.compact(now.runs.runs),
        help=_("Runs of guardrails that start in the range, each once however often its span was sent."),
        series=[each.runs for each in now.run_steps.values()],
        change=change_of(now, before, lambda each: each.runs.runs, formats.count),
        exact=formats.count(now.runs.runs),
        note=_("in %(number)s requests") % {"number": formats.count(now.traces.with_runs)},
        address=links.runs(),
    )


def _blocks(now: Figures, before: Figures | None, links: Links) -> Card:
    blocked = now.runs.blocked
    return Card(
        label=_("Blocks"),
        value=formats.compact(blocked),
        help=_(
            "Runs in which a guardrail stopped what it looked at. Block rate: blocks ÷ checks. An error is no block."
        ),
        series=[each.blocked for each in now.run_steps.values()],
        change=change_of(now, before, lambda each: each.runs.blocked, formats.count),
        exact=formats.count(blocked),
        note=_("block rate %(share)s") % {"share": formats.percent(ratio(blocked, now.runs.runs))},
        address=links.runs(outcome="blocked"),
        tone="bad" if blocked else "",
    )


def _requests(now: Figures, before: Figures | None, links: Links) -> Card:
    return Card(
        label=_("Blocked requests"),
        value=formats.compact(now.traces.with_blocks),
        help=_("Requests with a block. Their rate: of the requests that a guardrail looked at."),
        series=[each.with_blocks for each in now.trace_steps.values()],
        change=change_of(now, before, lambda each: each.traces.with_blocks, formats.count),
        exact=formats.count(now.traces.with_blocks),
        note=_("block rate %(share)s") % {"share": formats.percent(now.traces.block_rate)},
        address=links.traces(guardrail="blocked"),
        tone="bad" if now.traces.with_blocks else "",
    )


def _coverage(now: Figures, before: Figures | None, links: Links) -> Card:
    unguarded = now.traces.with_calls - now.traces.with_calls_and_runs
    return Card(
        label=_("Coverage"),
        value=formats.percent(now.traces.coverage),
        help=_("Requests with an LLM call and a guardrail run ÷ requests with an LLM call."),
        series=[each.coverage for each in now.trace_steps.values()],
        change=share_change_of(now, before, lambda each: each.traces.coverage, "higher"),
        note=ngettext("%(number)s request unguarded", "%(number)s requests unguarded", unguarded)
        % {"number": formats.count(unguarded)},
        address=links.traces(llm="1"),
    )


def _outcome(now: Figures, before: Figures | None, links: Links, outcome: str) -> Card:
    labels = {
        "masked": _("Masked"),
        "flagged": _("Flagged"),
        "failed": _("Failed to check"),
        "unknown": _("Outcome unknown"),
    }
    helps = {
        "masked": _("Runs in which a guardrail took something out of a text and let the rest pass."),
        "flagged": _("Runs in which a guardrail noted something and let it pass."),
        "failed": _("Runs in which the guardrail itself did not answer. They are no blocks: nobody knows the verdict."),
        "unknown": _("Runs of which the client does not say what came of them. They are not counted as let pass."),
    }
    number: int = getattr(now.runs, outcome)
    return Card(
        label=labels[outcome],
        value=formats.compact(number),
        help=helps[outcome],
        series=[getattr(each, outcome) for each in now.run_steps.values()],
        change=change_of(now, before, lambda each: getattr(each.runs, outcome), formats.count),
        exact=formats.count(number),
        note=_("%(share)s of the checks") % {"share": formats.percent(ratio(number, now.runs.runs))},
        address=links.runs(outcome=outcome),
        tone="warn" if number and outcome == "failed" else "",
    )


def _latency(now: Figures, before: Figures | None, links: Links) -> Card:
    return Card(
        label=_("Check latency, p95"),
        value=formats.duration(round(now.runs.p95_ns)) if now.runs.runs else "–",
        help=_(
            "How long one check took, whichever guardrail it was; of 20 checks 19 were not slower. The table says it"
            " of each guardrail."
        ),
        series=[each.p95_ns if each.runs else None for each in now.run_steps.values()],
        change=change_of(now, before, lambda each: round(each.runs.p95_ns), formats.duration, "lower"),
        note=_("p50 %(duration)s") % {"duration": formats.duration(round(now.runs.p50_ns))} if now.runs.runs else "",
        address="#by-guardrail",
    )
