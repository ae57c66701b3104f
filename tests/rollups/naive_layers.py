"""Which spans tell the same call, and which agent made it, once more: traces/store/calls/layers.py has the
rules.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

Row = dict[str, Any]
Lines = Mapping[int, list[Row]]  # id() of a span → those above it
APART = ("agent", "tool", "guardrail", "retriever")
NOTHING = {
    "is_llm_call": False,
    "cache_hit": False,
    "reported_cost": None,
    **{f"{kind}_tokens": 0 for kind in ("input", "output", "cached_input", "reasoning", "total")},
}


def settled(spans: list[Row]) -> list[Row]:
    """The spans of a project as they count: layers tell nothing of a call, calls have the agent above them."""
    traces: dict[str, list[Row]] = defaultdict(list)
    for span in spans:
        traces[span["TraceId"]].append(span)
    # A span that is stored twice is one here; what is stored twice is another matter (traces/store/rollups/doubles.py).
    by_id = {(span["TraceId"], span["SpanId"]): span for span in spans}
    calls = [span for span in by_id.values() if span["is_llm_call"] and span["TraceId"]]
    sets = {id(call): [call] for call in calls}
    lines = {id(span): line for trace in traces.values() for span, line in lines_of(trace)}
    for trace in traces.values():
        join_those_of([span for span in trace if id(span) in sets], lines, sets)
    for one, other in twins(calls):
        mine, theirs = ({call["ScopeName"] for call in sets[id(each)]} for each in (one, other))
        if one["ScopeName"] == other["ScopeName"] or mine.isdisjoint(theirs):
            join(sets, one, other)
    counting: dict[int, Row] = {}
    for layers in sets.values():
        speaker = max(layers, key=lambda call: knows(call, len(lines[id(call)])))
        above_them = [agent(lines[id(call)]) for call in layers]
        agents = [speaker["agent_name"], *(call["agent_name"] for call in layers), *above_them]
        said = next((name for name in agents if name), "")
        for call in layers:
            counting[id(call)] = {**call, "agent_name": said} | ({} if call is speaker else NOTHING)
    for span in spans:
        if not span["is_llm_call"] and span["reported_cost"] is not None and not span["agent_name"]:
            counting[id(span)] = {**span, "agent_name": agent(lines[id(span)])}
    return [counting.get(id(span), span) for span in spans]


def lines_of(trace: list[Row]) -> Iterator[tuple[Row, list[Row]]]:
    """Each span with those above it, from its parent up; each once."""
    by_id = {span["SpanId"]: span for span in reversed(trace)}
    for span in trace:
        line: dict[int, Row] = {}
        parent = by_id.get(span["ParentSpanId"])
        while parent is not None and id(parent) not in line:
            line[id(parent)] = parent
            parent = by_id.get(parent["ParentSpanId"])
        yield span, list(line.values())


def join_those_of(calls: list[Row], lines: Lines, sets: dict[int, list[Row]]) -> None:
    """Calls of one trace that something ties together."""
    below: dict[int, list[Row]] = defaultdict(list)
    for call in calls:
        outer = call_above(lines[id(call)])
        if outer is not None and may_be_one(outer, call):
            below[id(outer)].append(call)
    for outer in calls:
        for inner in those_of(outer, below[id(outer)]):
            join(sets, outer, inner)
    answers: dict[tuple[str, str], Row] = {}
    failures: dict[tuple[Any, ...], Row] = {}
    for call in calls:
        if response_id(call) and not any(each["cache_hit"] for each in sets[id(call)]):
            join(sets, answers.setdefault((call["span_type"], response_id(call)), call), call)
    for call in calls:
        if call["StatusCode"] == "Error":
            join(sets, failures.setdefault((call["ParentSpanId"], call["start"], call["model"]), call), call)


def join(sets: dict[int, list[Row]], one: Row, other: Row) -> None:
    mine, theirs = sets[id(one)], sets[id(other)]
    if mine is not theirs:
        mine += theirs
        sets.update({id(call): mine for call in theirs})


def call_above(line: list[Row]) -> Row | None:
    for each in line:
        if each["is_llm_call"]:
            return each
        if each["span_type"] in APART:
            return None
    return None


def agent(line: list[Row]) -> str:
    return next((s["agent_name"] for s in line if s["span_type"] == "agent" and s["agent_name"]), "")


def may_be_one(outer: Row, inner: Row) -> bool:
    other_tokens = outer["total_tokens"] and inner["total_tokens"] and outer["total_tokens"] != inner["total_tokens"]
    return outer["span_type"] == inner["span_type"] and not (other_tokens and outer["model"] != inner["model"])


def those_of(outer: Row, below: list[Row]) -> list[Row]:
    """Of the calls right below another one those that tell nothing, and the last that answered, are that one."""
    telling = [call for call in below if tells(call)]
    response = response_id(outer) or None
    last = sorted(
        telling,
        key=lambda s: (response_id(s) == response, s["StatusCode"] != "Error", s["end"], s["SpanId"]),
    )[-1:]
    return [call for call in below if not tells(call)] + last


def twins(calls: list[Row]) -> list[tuple[Row, Row]]:
    """Of two instrumentations, in two traces or side by side, one within the other; and Logfire's streams."""
    found: list[tuple[Row, Row]] = []
    taken: set[int] = set()
    if len({call["ScopeName"] for call in calls}) == 1 and not calls[0]["ScopeName"].startswith("logfire"):
        return []
    for inner in sorted(calls, key=lambda s: (s["start"], -s["end"])):
        holders = [outer for outer in calls if id(outer) not in taken and holds(outer, inner)]
        if holders and id(inner) not in taken:
            outer = max(holders, key=lambda s: s["start"])
            taken |= {id(outer), id(inner)}
            found.append((outer, inner))
    for end in calls:
        begun = [call for call in calls if call["end"] <= end["start"] and begins(call, end)]
        if begun and end["start"] == end["end"]:
            found.append((max(begun, key=lambda s: s["end"]), end))
    return found


def holds(outer: Row, inner: Row) -> bool:
    here = ("ServiceName", "span_type", "total_tokens")
    models = {outer["counted_model"], inner["counted_model"]} - {""}
    failed = {outer["StatusCode"] == "Error", inner["StatusCode"] == "Error"}
    side_by_side = outer["TraceId"] != inner["TraceId"] or outer["ParentSpanId"] == inner["ParentSpanId"]
    return (
        outer["ScopeName"] != inner["ScopeName"]
        and all(outer[name] == inner[name] for name in here)
        and (outer["total_tokens"] > 0 or len(failed) == 1)
        and outer["start"] <= inner["start"] <= inner["end"] <= outer["end"]
        and len(models) < 2
        and side_by_side
    )


def begins(call: Row, end: Row) -> bool:
    here = ("ServiceName", "span_type", "ScopeName", "counted_model")
    open_end = call["total_tokens"] == 0 and call["StatusCode"] != "Error" and call["start"] < call["end"]
    return open_end and call["ScopeName"].startswith("logfire") and all(call[name] == end[name] for name in here)


def tells(call: Row) -> bool:
    failed = call["StatusCode"] == "Error"
    return bool(call["total_tokens"] or call["reported_cost"] is not None or failed or response_id(call))


def knows(call: Row, depth: int) -> tuple[Any, ...]:
    failed = call["StatusCode"] == "Error"
    priced = call["reported_cost"] is not None
    return (
        call["cache_hit"],
        priced,
        call["total_tokens"] > 0,
        failed,
        depth,
        (call["TraceId"], call["SpanId"]),
    )


def response_id(call: Row) -> str:
    return str(call["SpanAttributes"].get("gen_ai.response.id", ""))
