"""The figures at the head of a project's overview, each with its definition and the traces behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from agentops_portal import formats
from agentops_portal.units import NS_OF_MS
from traces.store.figures import Cost
from traces.store.queries.compared import Compared, TracesFigures
from traces.store.queries.guardrails import GuardedTraces
from traces.store.queries.trace_metrics import Durations, TraceSums

from .cards import Card, change_of, ratio, share_change_of
from .links import Links


@dataclass(frozen=True)
class Figures:
    """Of a range; the steps only of the range that is shown, not of the one it is compared with."""

    sums: TraceSums
    durations: Durations
    guarded: GuardedTraces
    steps: Sequence[TracesFigures] = ()

    @property
    def error_rate(self) -> float | None:
        return ratio(self.sums.error_traces, self.sums.traces)

    @property
    def unknown_share(self) -> float | None:
        """Of LLM calls, those whose cost nobody knows."""
        return ratio(self.sums.cost.unknown_calls, self.sums.llm_calls)


def cards(found: Compared, links: Links) -> list[Card]:
    """Without changes when nothing is known of the compared range."""
    now = Figures(found.now.sums, found.now.durations, found.now.guarded, list(found.steps.values()))
    before = None
    if found.before is not None and found.before.sums.traces:
        before = Figures(found.before.sums, found.before.durations, found.before.guarded)
    return [
        _requests(now, before, links),
        _errors(now, before, links),
        _latency(now, before, links),
        _calls(now, before, links),
        _tokens(now, before, links),
        _cost(now, before, links),
        _blocks(now, before, links),
        _coverage(now, before, links),
    ]


def _requests(now: Figures, before: Figures | None, links: Links) -> Card:
    return Card(
        label=_("Requests"),
        value=formats.compact(now.sums.traces),
        help=_("Traces that lie in the range or reach into it, each with all of its spans."),
        series=[each.sums.traces for each in now.steps],
        change=change_of(now, before, lambda each: each.sums.traces, formats.count),
        exact=formats.count(now.sums.traces),
        address=links.traces(),
    )


def _errors(now: Figures, before: Figures | None, links: Links) -> Card:
    failed = now.sums.error_traces
    return Card(
        label=_("Error rate"),
        value=formats.percent(now.error_rate),
        help=_(
            "Requests that failed ÷ requests. A request failed when its root span failed, a server in it answered with"
            " HTTP 400 or more, or its last LLM call, agent or tool failed; a fallback that worked is no failure."
        ),
        series=[ratio(each.sums.error_traces, each.sums.traces) for each in now.steps],
        change=share_change_of(now, before, lambda each: each.error_rate, "lower"),
        note=ngettext("%(number)s failed request", "%(number)s failed requests", failed)
        % {"number": formats.count(failed)},
        address=links.traces(status="error"),
        tone="bad" if failed else "",
    )


def _latency(now: Figures, before: Figures | None, links: Links) -> Card:
    p95 = round(now.durations.p95)
    return Card(
        label=_("Request latency, p95"),
        value=formats.duration(p95) if now.sums.traces else "–",
        help=_(
            "Of a request from its first start to its last end. Of 20 requests 19 were not slower than p95, and 10 not"
            " slower than p50. The link shows those that were slower than p95."
        ),
        series=[each.durations.p95 if each.sums.traces else None for each in now.steps],
        change=change_of(now, before, lambda each: round(each.durations.p95), formats.duration, "lower"),
        note=_("p50 %(duration)s") % {"duration": formats.duration(round(now.durations.p50))},
        address=links.traces(min_duration=f"{p95 // NS_OF_MS}ms"),
    )


def _calls(now: Figures, before: Figures | None, links: Links) -> Card:
    each = ratio(now.sums.llm_calls, now.sums.traces)
    return Card(
        label=_("LLM calls"),
        value=formats.compact(now.sums.llm_calls),
        help=_("Invocations of a model in these requests, however many spans describe one; failed ones included."),
        series=[each.sums.llm_calls for each in now.steps],
        change=change_of(now, before, lambda each: each.sums.llm_calls, formats.count),
        exact=formats.count(now.sums.llm_calls),
        note=_("%(number)s per request") % {"number": f"{each:.1f}"} if each is not None else "",
        address=links.traces(llm="1"),
    )


def _tokens(now: Figures, before: Figures | None, links: Links) -> Card:
    cached = ratio(now.sums.cached_input_tokens, now.sums.input_tokens)
    return Card(
        label=_("Tokens"),
        value=formats.compact(now.sums.total_tokens),
        help=_(
            "Input and output tokens of LLM calls. Input includes what was read from the provider's cache, output"
            " includes reasoning. Cached share: cached input ÷ input."
        ),
        series=[each.sums.total_tokens for each in now.steps],
        change=change_of(now, before, lambda each: each.sums.total_tokens, formats.count),
        exact=formats.count(now.sums.total_tokens),
        note=_("%(share)s of the input cached") % {"share": formats.percent(cached)} if cached is not None else "",
        address=links.traces(llm="1"),
    )


def _cost(now: Figures, before: Figures | None, links: Links) -> Card:
    cost = now.sums.cost
    unknown = now.unknown_share
    return Card(
        label=_("Cost"),
        value=formats.dollars(cost.known) if cost.known is not None else _unpriced(cost),
        help=_(
            "US dollars: what clients reported for LLM calls and tools and, for calls without a report, what the price"
            " book says. An answer from a cache cost nothing. Calls whose price nobody knows are counted beside it and"
            " are in no sum."
        ),
        series=[float(each.sums.cost.known or 0) for each in now.steps],
        change=change_of(now, before, lambda each: each.sums.cost.known, formats.dollars),
        exact=f"${cost.known.normalize():f}" if cost.known is not None else "",
        note=_("%(share)s of the calls unknown") % {"share": formats.percent(unknown)} if unknown else "",
        address=links.traces(llm="1"),
    )


def _unpriced(cost: Cost) -> str:
    return pgettext("cost", "unknown") if cost.unknown_calls else formats.dollars(Decimal(0))


def _blocks(now: Figures, before: Figures | None, links: Links) -> Card:
    return Card(
        label=_("Blocked requests"),
        value=formats.compact(now.guarded.with_blocks),
        help=_(
            "Requests in which a guardrail blocked something; an error of a guardrail or of a provider is no block."
            " Block rate: of the requests that a guardrail looked at."
        ),
        series=[each.guarded.with_blocks for each in now.steps],
        change=change_of(now, before, lambda each: each.guarded.with_blocks, formats.count),
        exact=formats.count(now.guarded.with_blocks),
        note=_("block rate %(share)s") % {"share": formats.percent(now.guarded.block_rate)}
        if now.guarded.with_runs
        else _("no guardrail ran"),
        address=links.traces(guardrail="blocked"),
        tone="warn" if now.guarded.with_blocks else "",
    )


def _coverage(now: Figures, before: Figures | None, links: Links) -> Card:
    unguarded = now.guarded.with_calls - now.guarded.with_calls_and_runs
    return Card(
        label=_("Guardrail coverage"),
        value=formats.percent(now.guarded.coverage),
        help=_("Requests with an LLM call and a guardrail run ÷ requests with an LLM call."),
        series=[each.guarded.coverage for each in now.steps],
        change=share_change_of(now, before, lambda each: each.guarded.coverage, "higher"),
        note=ngettext("%(number)s request unguarded", "%(number)s requests unguarded", unguarded)
        % {"number": formats.count(unguarded)},
        address=links.guardrails(),
    )
