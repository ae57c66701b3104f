"""Traces in short: a line is a span, indented below its parent, with what matters of it."""

import random

import pytest

from traces.store.calls.layers import Seen, Verdict, verdicts

NO_CALL = {"agent", "tool", "guardrail", "retriever", "http", "chain", "other"}


def trace(text: str) -> list[Seen]:
    """`name type key=value …`: a span that starts with its line, lasts until its last child, and is named by its id."""
    spans: list[Seen] = []
    parents: list[tuple[int, str]] = []
    for number, line in enumerate(text.strip("\n").splitlines()):
        depth = len(line) - len(line.lstrip())
        name, kind, *words = line.split()
        told = dict(word.split("=") for word in words)
        while parents and parents[-1][0] >= depth:
            parents.pop()
        spans.append(
            Seen(
                span_id=name,
                parent_id=parents[-1][1] if parents else "",
                start_ns=int(told.get("start", number)),
                end_ns=int(told.get("end", 100 + number)),
                type=kind,
                is_call=kind not in NO_CALL,
                model=told.get("model", "gpt-4o"),
                response_id=told.get("response", ""),
                tokens=int(told.get("tokens", 0)),
                priced="cost" in told,
                failed="failed" in told,
                cached="cached" in told,
                agent=told.get("agent", ""),
            )
        )
        parents.append((depth, name))
    return spans


def test_what_costs_something_is_of_the_agent_above() -> None:
    found = verdicts(trace("team agent agent=planner\n search tool cost=1\n look tool"))

    assert found == {"search": Verdict(agent="planner")}


def calls(text: str) -> dict[str, str]:
    """The spans that speak for a call, each with its agent."""
    spans = trace(text)
    found = verdicts(spans)
    for seed in range(5):  # in whatever order they come
        assert verdicts(random.Random(seed).sample(spans, len(spans))) == found
    speakers = [span for span in spans if span.is_call and not found.get(span.span_id, Verdict()).same_as]
    return {each.span_id: found[each.span_id].agent if each.span_id in found else each.agent for each in speakers}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("client llm tokens=9\n raw llm tokens=9", {"raw": ""}),
        ("framework llm\n provider llm tokens=9", {"provider": ""}),
        ("framework llm tokens=9\n provider llm", {"framework": ""}),
        ("a llm\n b llm\n  c llm tokens=9 cost=1", {"c": ""}),
        ("outer embedding\n inner embedding tokens=7", {"inner": ""}),
        ("client llm failed=1\n raw llm failed=1", {"raw": ""}),
        # An application above the proxy that it calls: other names for the model, one number of tokens.
        (
            "app llm tokens=9 model=claude\n post http\n  server http\n   proxy llm tokens=9 cost=1 model=x",
            {"proxy": ""},
        ),
        # The caller gave up, the provider answered.
        ("client llm failed=1\n proxy llm tokens=9 cost=1", {"proxy": ""}),
    ],
)
def test_a_call_below_a_call_is_the_same(text: str, expected: dict[str, str]) -> None:
    assert calls(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one llm tokens=9\ntwo llm tokens=9", {"one", "two"}),
        # What an agent, a tool, a guardrail or a retriever asks while a call is open is another call.
        ("outer llm tokens=9\n search tool\n  inner llm tokens=8", {"outer", "inner"}),
        ("outer llm tokens=9\n check guardrail\n  judge llm tokens=8", {"outer", "judge"}),
        ("outer llm tokens=9\n sub agent agent=b\n  inner llm tokens=8", {"outer", "inner"}),
        ("outer llm tokens=9\n find embedding tokens=2", {"outer", "find"}),
        ("outer llm tokens=9 model=large\n rewrite llm tokens=3 model=small", {"outer", "rewrite"}),
        # A fallback: the first failed, the second answered, and the client above tells of that one.
        ("client llm tokens=9\n first llm failed=1\n second llm tokens=9 cost=1", {"first", "second"}),
        # A wrapper that calls itself a call, with the sum of those below it.
        ("run llm tokens=17\n a llm tokens=9\n b llm tokens=8", {"a", "b"}),
    ],
)
def test_what_is_another_call_stays_one(text: str, expected: set[str]) -> None:
    assert set(calls(text)) == expected


def test_one_answer_is_one_call_wherever_it_is_told() -> None:
    assert set(calls("sdk llm response=r1 tokens=9\nhook llm response=r1 tokens=9 cost=1")) == {"hook"}
    # A cache answers with the id of the answer that it kept.
    text = "a llm tokens=9\n p llm response=r1 tokens=9\nb llm tokens=9\n q llm response=r1 tokens=9 cached=1"
    assert set(calls(text)) == {"p", "q"}


def test_a_failure_that_is_told_twice_is_one_call() -> None:
    assert len(calls("root http\n a llm failed=1 start=5\n b llm failed=1 start=5\n c llm failed=1 start=6")) == 2


@pytest.mark.parametrize(
    ("text", "agents"),
    [
        ("boss agent agent=boss\n ask llm tokens=1", {"ask": "boss"}),
        (
            "boss agent agent=boss\n hand tool\n  sub agent agent=sub\n   ask llm tokens=1\n think llm",
            {"ask": "sub", "think": "boss"},
        ),
        ("boss agent agent=boss\n ask llm agent=own", {"ask": "own"}),
        ("boss agent agent=boss\n a llm\n  b llm tokens=1", {"b": "boss"}),
        ("sub agent\n ask llm", {"ask": ""}),
    ],
)
def test_a_call_is_that_of_the_agent_above_it(text: str, agents: dict[str, str]) -> None:
    assert calls(text) == agents


def test_a_layer_says_which_call_it_is_and_why() -> None:
    found = verdicts(trace("boss agent agent=boss\n a llm\n  b llm tokens=1"))

    assert found == {"a": Verdict("b", "nested", "boss"), "b": Verdict(agent="boss")}


def test_parents_in_a_circle_and_missing_ones_end_nowhere() -> None:
    a, b, c = trace("a llm tokens=1\nb llm tokens=1\nc llm tokens=2")
    circle = [a._replace(parent_id="b"), b._replace(parent_id="a"), c._replace(parent_id="gone")]

    assert set(verdicts(circle)) <= {"a", "b"}
    deep = [a._replace(span_id=str(number), parent_id=str(number - 1), start_ns=number) for number in range(20_000)]
    assert len(verdicts(deep)) == len(deep) - 1
