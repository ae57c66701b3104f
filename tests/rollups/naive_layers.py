"""Which spans tell the same call, and which agent made it, once more (traces/store/calls/layers.py has the rules), by
looking at every pair of a trace's calls.
"""

from typing import Any

Row = dict[str, Any]
APART = ("agent", "tool", "guardrail", "retriever")
NOTHING = {
    "is_llm_call": False,
    "cache_hit": False,
    "reported_cost": None,
    **{f"{kind}_tokens": 0 for kind in ("input", "output", "cached_input", "reasoning", "total")},
}


def settled(spans: list[Row]) -> list[Row]:
    """The spans of a project as they count: layers tell nothing of a call, calls have the agent above them."""
    calls = [span for span in spans if span["is_llm_call"] and span["TraceId"]]
    traces = {each["TraceId"]: [span for span in spans if span["TraceId"] == each["TraceId"]] for each in spans}
    sets = [{id(call)} for call in calls]
    for trace in traces.values():
        join_those_of(trace, sets)
    scopes = {id(call): call["ScopeName"] for call in calls}
    for one, other in twins(calls):
        mine, theirs = (next(s for s in sets if id(each) in s) for each in (one, other))
        if one["ScopeName"] == other["ScopeName"] or {scopes[i] for i in mine}.isdisjoint(scopes[i] for i in theirs):
            join(sets, one, other)
    counting: dict[int, Row] = {}
    for some in sets:
        layers = [call for call in calls if id(call) in some]
        speaker = max(layers, key=lambda call: knows(call, traces[call["TraceId"]]))
        above_them = [agent(call, traces[call["TraceId"]]) for call in layers]
        agents = [speaker["agent_name"], *(call["agent_name"] for call in layers), *above_them]
        said = next((name for name in agents if name), "")
        for call in layers:
            counting[id(call)] = {**call, "agent_name": said} | ({} if call is speaker else NOTHING)
    for span in spans:
        if not span["is_llm_call"] and span["reported_cost"] is not None and not span["agent_name"]:
            counting[id(span)] = {**span, "agent_name": agent(span, traces[span["TraceId"]])}
    return [counting.get(id(span), span) for span in spans]


def join_those_of(trace: list[Row], sets: list[set[int]]) -> None:
    calls = [span for span in trace if span["is_llm_call"]]
    nested = [(a, b) for a in calls for b in calls if a is not b and is_nested(a, b, trace)]
    for one, other in nested:
        join(sets, one, other)
    for a in calls:
        for b in calls:
            if answers_are_one(a, b, [each for each in calls if any({id(a)} | {id(each)} <= s for s in sets)]):
                join(sets, a, b)
            if failed_twice(a, b):
                join(sets, a, b)


def twins(calls: list[Row]) -> list[tuple[Row, Row]]:
    """Of two instrumentations, in two traces or side by side, one within the other; and Logfire's streams."""
    found: list[tuple[Row, Row]] = []
    taken: list[Row] = []
    for inner in sorted(calls, key=lambda s: (s["start"], -s["end"])):
        holders = [outer for outer in calls if outer not in taken and holds(outer, inner)]
        if holders and inner not in taken:
            outer = max(holders, key=lambda s: s["start"])
            taken += [outer, inner]
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


def join(sets: list[set[int]], one: Row, other: Row) -> None:
    mine, theirs = (next(s for s in sets if id(each) in s) for each in (one, other))
    if mine is not theirs:
        sets.remove(theirs)
        mine |= theirs


def above(span: Row, trace: list[Row]) -> list[Row]:
    """From the parent up; each once."""
    line: list[Row] = []
    parent = next((s for s in trace if s["SpanId"] == span["ParentSpanId"]), None)
    while parent is not None and parent not in line:
        line.append(parent)
        parent = next((s for s in trace if s["SpanId"] == line[-1]["ParentSpanId"]), None)
    return line


def call_above(span: Row, trace: list[Row]) -> Row | None:
    for each in above(span, trace):
        if each["is_llm_call"]:
            return each
        if each["span_type"] in APART:
            return None
    return None


def agent(span: Row, trace: list[Row]) -> str:
    return next((s["agent_name"] for s in above(span, trace) if s["span_type"] == "agent" and s["agent_name"]), "")


def may_be_one(outer: Row, inner: Row) -> bool:
    other_tokens = outer["total_tokens"] and inner["total_tokens"] and outer["total_tokens"] != inner["total_tokens"]
    return outer["span_type"] == inner["span_type"] and not (other_tokens and outer["model"] != inner["model"])


def is_nested(outer: Row, inner: Row, trace: list[Row]) -> bool:
    """Of the calls right below another one those that tell nothing, and the last that answered, are that one."""
    calls = [s for s in trace if s["is_llm_call"] and call_above(s, trace) is outer and may_be_one(outer, s)]
    if not any(inner is call for call in calls):
        return False
    telling = [call for call in calls if tells(call)]
    if not tells(inner):
        return True
    response = response_id(outer) or None
    last = max(
        telling,
        key=lambda s: (
            response_id(s) == response,
            s["StatusCode"] != "Error",
            s["end"],
            s["SpanId"],
        ),
    )
    return inner is last


def tells(call: Row) -> bool:
    failed = call["StatusCode"] == "Error"
    return bool(call["total_tokens"] or call["reported_cost"] is not None or failed or response_id(call))


def answers_are_one(a: Row, b: Row, with_a: list[Row]) -> bool:
    same = a is not b and a["span_type"] == b["span_type"] and response_id(a) == response_id(b) != ""
    return same and not any(call["cache_hit"] for call in (*with_a, b))


def failed_twice(a: Row, b: Row) -> bool:
    place = [(s["ParentSpanId"], s["start"], s["model"], s["StatusCode"]) for s in (a, b)]
    return a is not b and place[0] == place[1] and a["StatusCode"] == "Error"


def knows(call: Row, trace: list[Row]) -> tuple[Any, ...]:
    failed = call["StatusCode"] == "Error"
    priced = call["reported_cost"] is not None
    return (
        call["cache_hit"],
        priced,
        call["total_tokens"] > 0,
        failed,
        len(above(call, trace)),
        (call["TraceId"], call["SpanId"]),
    )


def response_id(call: Row) -> str:
    return str(call["SpanAttributes"].get("gen_ai.response.id", ""))
