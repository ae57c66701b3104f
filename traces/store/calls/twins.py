"""Calls that two instrumentations of one service tell, each in a trace of its own or beside each other, with nothing
that ties the two spans together: no parent, no id of the answer.

twin    one lies within the other, tells as many tokens, and names the same model or none. Two calls of one
        instrumentation are never that: they are two. Where neither tells tokens, both fail or neither does.
stream  Logfire tells a streamed answer when it has ended, in a span without a duration; the span of the call itself has
        ended by then and knows no tokens.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

TWIN, STREAM = "twin", "stream"
# How long before a call the one that may hold it, or the one that it ends, began.
REACH_NS = 300 * 10**9
_STREAMING = "logfire"


class Told(NamedTuple):
    """A call as its span tells it. key: whatever tells it from others; times are nanoseconds since 1970."""

    key: str
    service: str
    scope: str  # the instrumentation
    type: str
    model: str  # without the date of a version
    tokens: int
    failed: bool
    start_ns: int
    end_ns: int


def twins(calls: Iterable[Told]) -> Iterator[tuple[str, str, str]]:
    """Pairs of keys of calls that are one, and why; no call is in more than one pair of a kind."""
    alike: dict[tuple[str, str, int, bool], list[Told]] = defaultdict(list)
    streams: dict[tuple[str, str, str, str], list[Told]] = defaultdict(list)
    for call in sorted(calls, key=lambda call: (call.start_ns, -call.end_ns, call.key)):
        alike[call.service, call.type, call.tokens, not call.tokens and call.failed].append(call)
        if call.scope.startswith(_STREAMING) and not call.failed:
            streams[call.service, call.type, call.scope, call.model].append(call)
    for some in alike.values():
        yield from _within(some)
    for some in streams.values():
        yield from _streamed(some)


def _within(calls: list[Told]) -> Iterator[tuple[str, str, str]]:
    """The earliest first: of those that may hold a call the last that began, each of them for one call."""
    open_calls: list[Told] = []
    for call in calls:
        open_calls = [each for each in open_calls if each.end_ns >= call.start_ns]
        holder = next((each for each in reversed(open_calls) if _holds(each, call)), None)
        if holder is not None:
            open_calls.remove(holder)
            yield holder.key, call.key, TWIN
        else:
            open_calls.append(call)


def _holds(outer: Told, inner: Told) -> bool:
    same_model = outer.model == inner.model or not outer.model or not inner.model
    return outer.scope != inner.scope and inner.end_ns <= outer.end_ns and same_model


def _streamed(calls: list[Told]) -> Iterator[tuple[str, str, str]]:
    waiting: list[Told] = []
    for call in calls:
        waiting = [each for each in waiting if each.end_ns + REACH_NS >= call.start_ns]
        if call.start_ns == call.end_ns:
            begun = next((each for each in reversed(waiting) if each.end_ns <= call.start_ns), None)
            if begun is not None:
                waiting.remove(begun)
                yield begun.key, call.key, STREAM
        elif not call.tokens:
            waiting.append(call)
