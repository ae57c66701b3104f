"""What came of guardrail runs of which their client cannot tell it, from whoever decided.

LiteLLM (1.106.2) says "mask" of every run of its generic guardrail API that did not block, whatever came of it. The
portal's own guardrail (guardrails/enforcement) knows: it made the decision, and the ids of the traces are the same. So
before such a span is written down, it gets the attribute `guard.action`, as our own spans have it.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from typing import Any, Final, NamedTuple
from uuid import UUID

import structlog
from django.db import Error

from .pending import text_of
from .request import ExportRequest
from .signals import TRACES

log = structlog.get_logger(__name__)

CLOCKS_NS: Final = 2_000_000_000  # by which the clocks of proxy and portal may differ
SOON_SECONDS: Final = 0.5  # decisions are written a third of a second later
_DECISION: Final = b"portal.decision.id"
_SAYS_MASK: Final = b'"mask"'
_RESPONSES: Final = (b"guardrail_response", b"litellm.guardrail.response")
_NAMES: Final = (b"guardrail_name", b"litellm.guardrail.name", b"guardrail_mode", b"litellm.guardrail.mode")


class Outcome(NamedTuple):
    """A decision about a call. action: allow, flag, mask or block."""

    id: str
    trace_id: str
    at_ns: int
    action: str


Ask = Callable[[UUID, Collection[str]], list[Outcome]]
_ask: Ask | None = None


def decided_by(ask: Ask) -> None:
    """Who knows the decisions about the calls of some traces of a project. It may raise django.db.Error."""
    global _ask
    _ask = ask


def may_be_known(request: ExportRequest) -> bool:
    return (
        _ask is not None
        and request.signal is TRACES
        and _SAYS_MASK in request.body
        and any(name in request.body for name in _RESPONSES)
    )


def tell(request: ExportRequest) -> bool:
    """Give the request's guardrail spans what came of them; whether it may be known of more in SOON_SECONDS.

    Asks PostgreSQL; without it they stay as they are.
    """
    runs = _runs(request.message)
    if _ask is None or not runs:
        return False
    try:
        outcomes = _ask(request.project_id, {run.trace_id for run in runs})
    except Error as error:
        log.warning("outcomes of guardrail runs are not known", error=type(error).__name__)
        return False
    told = list(_matched(runs, outcomes))
    for run, outcome in told:
        for span in run.spans:
            _add(span, b"guard.action", outcome.action)
            _add(span, _DECISION, outcome.id)
    if told:
        request.body = request.message.SerializeToString()
    is_new = max(run.end_ns for run in runs) > time.time_ns() - CLOCKS_NS
    return is_new and len(told) < len(runs)


class _Run(NamedTuple):
    """A run and its spans: LiteLLM may send two of one."""

    trace_id: str
    start_ns: int
    end_ns: int
    spans: list[Any]

    def distance(self, at_ns: int) -> tuple[int, int]:
        """How far from it a moment is; of two runs that hold it, the shorter one is nearer."""
        return max(self.start_ns - at_ns, at_ns - self.end_ns, 0), self.end_ns - self.start_ns


def _runs(message: Any) -> list[_Run]:
    found: defaultdict[tuple[Any, ...], list[Any]] = defaultdict(list)
    for span in _spans(message):
        texts = {pair.key: text_of(pair.value) for pair in span.attributes}
        if _DECISION not in texts and any(texts.get(name) == _SAYS_MASK for name in _RESPONSES):
            times = span.start_time_unix_nano, span.end_time_unix_nano
            found[span.trace_id.hex(), *times, *map(texts.get, _NAMES)].append(span)
    return [_Run(key[0], key[1], key[2], spans) for key, spans in found.items()]


def _spans(message: Any) -> Iterator[Any]:
    for resource_spans in message.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            yield from scope_spans.spans


def _matched(runs: list[_Run], outcomes: list[Outcome]) -> Iterator[tuple[_Run, Outcome]]:
    """Each decision with the nearest run of its trace that no other has, the nearest pair first."""
    pairs = [
        (run.distance(outcome.at_ns), at, place)
        for place, outcome in enumerate(outcomes)
        for at, run in enumerate(runs)
        if run.trace_id == outcome.trace_id
    ]
    taken: set[int] = set()
    told: set[int] = set()
    for (away, _), at, place in sorted(pairs):
        if away <= CLOCKS_NS and at not in taken and place not in told:
            taken.add(at)
            told.add(place)
            yield runs[at], outcomes[place]


def _add(span: Any, name: bytes, value: str) -> None:
    pair = span.attributes.add()
    pair.key = name
    pair.value.string_value = value.encode()
