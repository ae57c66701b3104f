"""Which spans of a trace, or of some that are looked at together, tell the same model call, and which agent made it.

One span says what it carries (traces/store/dialects); that several spans are layers of one call, only their trace can
say: the client's span above the provider's, an application above the proxy that it calls, a framework's beside an
instrumentor's. Rules, in this order:

nested    a call below a call is the same one, unless an agent, a tool, a guardrail or a retriever stands between, or
          both tell another model and other tokens. Of several below one, each is a call; the one above is a layer of
          the last that answered.
response  calls with the same id of the answer are the same one, but for an answer from a cache, which is told with the
          id of the answer that was kept.
failure   LiteLLM tells a call that failed twice: same parent, start and model.
twin,     nothing ties them together but what they tell and when (twins.py): in two traces, or beside each other in one.
stream    Those that one instrumentation tells are never twins.

The layer that speaks is the one that knows most: that the answer came from a cache, else a cost, else tokens, else that
it failed; of equals the deepest. A call that names no agent is that of the nearest agent above any of its layers, and
so is a tool with a cost.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .twins import TWIN, Told, twins

CALLS = frozenset({"llm", "embedding"})
# Who calls from within one of these calls anew.
APART = frozenset({"agent", "tool", "guardrail", "retriever"})
NESTED, RESPONSE, FAILURE = "nested", "response", "failure"


class Seen(NamedTuple):
    """What matters of a span. Ids tell it from all others, whatever their trace; times are nanoseconds since 1970;
    `priced`: a cost was reported; `scope`: the instrumentation that told it.
    """

    span_id: str
    parent_id: str
    start_ns: int
    end_ns: int
    type: str
    is_call: bool
    model: str
    response_id: str
    tokens: int
    priced: bool
    failed: bool
    cached: bool
    agent: str
    trace_id: str = ""
    service: str = ""
    scope: str = ""
    plain_model: str = ""  # without the date of a version


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the trace says of a span that the span does not know.

    same_as: the span that speaks for this call, "" when it is this one; why: the rule that says so; agent: whose call
    it is.
    """

    same_as: str = ""
    why: str = ""
    agent: str = ""


def verdicts(spans: Iterable[Seen]) -> dict[str, Verdict]:
    """By span id what is to be known of a trace's calls besides what they say themselves; of most spans nothing.

    Linear in the number of spans, in whatever order they come. Parents may be missing or form a circle.
    """
    by_id = {span.span_id: span for span in sorted(spans, key=lambda span: (span.start_ns, span.span_id))}
    calls = [span for span in by_id.values() if span.is_call]
    above = _Above(by_id)
    groups = _Groups(calls)
    _join_nested(groups, calls, above)
    _join_responses(groups, calls)
    _join_failures(groups, calls)
    _join_twins(groups, calls)
    return {**_paid(by_id.values(), above), **dict(_told(groups, above))}


class _Above:
    """The nearest call and the nearest agent above each span, found once for all."""

    def __init__(self, by_id: Mapping[str, Seen]) -> None:
        self._by_id = by_id
        self._found: dict[str, tuple[Seen | None, str, int]] = {}

    def of(self, span: Seen) -> tuple[Seen | None, str, int]:
        """The call of which this span may be a layer, the name of the agent above, and how deep the span lies."""
        line: list[Seen] = []
        each: Seen | None = span
        met: set[str] = set()
        while each is not None and each.span_id not in self._found and each.span_id not in met:
            line.append(each)
            met.add(each.span_id)
            each = self._by_id.get(each.parent_id)
        for each in reversed(line):
            parent = self._by_id.get(each.parent_id)
            self._found[each.span_id] = self._below(parent) if parent else (None, "", 0)
        return self._found[span.span_id]

    def _below(self, parent: Seen) -> tuple[Seen | None, str, int]:
        call, agent, depth = self._found.get(parent.span_id, (None, "", 0))
        if parent.is_call:
            call = parent
        elif parent.type in APART:
            call = None
        if parent.type == "agent" and parent.agent:
            agent = parent.agent
        return call, agent, depth + 1


class _Groups:
    """Calls that are one, as they are found: each group has a leader, and each joined call the rule that joined it."""

    def __init__(self, calls: Sequence[Seen]) -> None:
        self._leader = {call.span_id: call.span_id for call in calls}
        self.members = {call.span_id: [call] for call in calls}
        self.why: dict[str, str] = {}

    def leader(self, span_id: str) -> str:
        while (above := self._leader[span_id]) != span_id:
            self._leader[span_id] = self._leader[above]
            span_id = above
        return span_id

    def of(self, call: Seen) -> list[Seen]:
        return self.members[self.leader(call.span_id)]

    def join(self, one: Seen, other: Seen, why: str) -> None:
        first, second = self.leader(one.span_id), self.leader(other.span_id)
        if first == second:
            return
        if len(self.members[first]) < len(self.members[second]):
            first, second = second, first
        self._leader[second] = first
        self.members[first] += self.members.pop(second)
        for call in (one, other):
            self.why.setdefault(call.span_id, why)


def _join_nested(groups: _Groups, calls: Sequence[Seen], above: _Above) -> None:
    below: dict[str, list[Seen]] = defaultdict(list)
    for call in calls:
        parent = above.of(call)[0]
        if parent is not None and parent.type == call.type and not _differ(parent, call):
            below[parent.span_id].append(call)
    for outer in calls:
        inner = below[outer.span_id]
        said = [call for call in inner if call.tokens or call.priced or call.failed or call.response_id]
        for call in inner:
            if call not in said:
                groups.join(outer, call, NESTED)
        if said:
            groups.join(outer, _answer(outer, said), NESTED)


def _differ(outer: Seen, inner: Seen) -> bool:
    return bool(outer.tokens and inner.tokens and outer.tokens != inner.tokens and outer.model != inner.model)


def _answer(outer: Seen, inner: Sequence[Seen]) -> Seen:
    """Of calls below another the one whose answer that one gave: a call that failed first was tried again."""
    return max(
        inner,
        key=lambda call: (
            bool(outer.response_id) and call.response_id == outer.response_id,
            not call.failed,
            call.end_ns,
            call.span_id,
        ),
    )


def _join_responses(groups: _Groups, calls: Sequence[Seen]) -> None:
    first: dict[tuple[str, str], Seen] = {}
    for call in calls:
        if call.response_id and not any(each.cached for each in groups.of(call)):
            groups.join(first.setdefault((call.type, call.response_id), call), call, RESPONSE)


def _join_failures(groups: _Groups, calls: Sequence[Seen]) -> None:
    first: dict[tuple[str, int, str], Seen] = {}
    for call in calls:
        if call.failed:
            groups.join(first.setdefault((call.parent_id, call.start_ns, call.model), call), call, FAILURE)


def _join_twins(groups: _Groups, calls: Sequence[Seen]) -> None:
    by_id = {call.span_id: call for call in calls}
    for first, second, why in twins(map(_as_told, calls)):
        one, other = by_id[first], by_id[second]
        # Of those that lie below one another in a trace it is decided.
        if one.trace_id == other.trace_id and one.parent_id != other.parent_id:
            continue
        if why != TWIN or _scopes(groups, one).isdisjoint(_scopes(groups, other)):
            groups.join(one, other, why)


def _as_told(call: Seen) -> Told:
    return Told(
        key=call.span_id,
        service=call.service,
        scope=call.scope,
        type=call.type,
        model=call.plain_model,
        tokens=call.tokens,
        failed=call.failed,
        start_ns=call.start_ns,
        end_ns=call.end_ns,
    )


def _scopes(groups: _Groups, call: Seen) -> set[str]:
    return {each.scope for each in groups.of(call)}


def _told(groups: _Groups, above: _Above) -> Iterator[tuple[str, Verdict]]:
    for layers in groups.members.values():
        speaker = max(layers, key=lambda call: _knows(call, above.of(call)[2]))
        # Nothing stands for an agent between the layers, so the outermost one says it as well as any.
        named = speaker.agent or next((call.agent for call in layers if call.agent), "")
        agent = named or next((name for call in layers if (name := above.of(call)[1])), "")
        if agent != speaker.agent:
            yield speaker.span_id, Verdict(agent=agent)
        for call in layers:
            if call is not speaker:
                yield call.span_id, Verdict(speaker.span_id, groups.why[call.span_id], agent)


def _paid(spans: Iterable[Seen], above: _Above) -> dict[str, Verdict]:
    """Tools and whatever else costs something: it is the agent's above, too."""
    paid = [span for span in spans if span.priced and not span.is_call and not span.agent]
    return {span.span_id: Verdict(agent=agent) for span in paid if (agent := above.of(span)[1])}


def _knows(call: Seen, depth: int) -> tuple[bool, bool, bool, bool, int, str]:
    return call.cached, call.priced, call.tokens > 0, call.failed, depth, call.span_id
