"""Calls that nothing ties together, and which of them are one."""

import pytest

from traces.store.calls.twins import Told, twins


def told(text: str) -> list[Told]:
    """`key scope start end …` a line; a word of the form name=value tells something else."""
    calls = []
    for line in text.strip().splitlines():
        key, scope, start, end, *words = line.split()
        said = dict(word.split("=") for word in words)
        calls.append(
            Told(
                key=key,
                service=said.get("service", "app"),
                scope=scope,
                type=said.get("type", "llm"),
                model=said.get("model", "gpt-4o"),
                tokens=int(said.get("tokens", 9)),
                failed="failed" in said,
                start_ns=int(start),
                end_ns=int(end),
            )
        )
    return calls


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a langchain 0 90\nb openai 10 80", {("a", "b", "twin")}),
        ("a langchain 0 90 model=\nb openai 10 80", {("a", "b", "twin")}),
        ("a openai 0 90\nb openai 10 80", set()),  # two calls of one instrumentation
        ("a langchain 0 90 tokens=8\nb openai 10 80", set()),
        ("a langchain 0 90 model=o3\nb openai 10 80", set()),
        ("a langchain 0 90 service=other\nb openai 10 80", set()),
        ("a langchain 0 90\nb openai 10 95", set()),  # beside each other
        ("a langchain 0 90 type=embedding\nb openai 10 80", set()),
        ("a langchain 0 90 tokens=0\nb openai 10 80 tokens=0 failed=1", set()),
        ("a langchain 0 90 tokens=0 failed=1\nb openai 10 80 tokens=0 failed=1", {("a", "b", "twin")}),
        # Two at once: each has its own.
        ("a lc 0 90\nb lc 1 91\nc openai 5 80\nd openai 6 81", {("b", "c", "twin"), ("a", "d", "twin")}),
        ("a lc 0 90\nb openai 5 30\nc openai 40 80", {("a", "b", "twin")}),  # a call holds one
        # Logfire's stream, the end of which is told apart; what failed or was another's is none.
        ("a logfire.openai 0 10 tokens=0\nb logfire.openai 90 90", {("a", "b", "stream")}),
        ("a logfire.openai 0 10 tokens=0 failed=1\nb logfire.openai 90 90", set()),
        ("a openai 0 10 tokens=0\nb openai 90 90", set()),
        ("a logfire.openai 0 10 tokens=0\nb logfire.openai 90 90 model=o3", set()),
        ("a logfire.openai 0 10 tokens=0\nb logfire.openai 900000000000 900000000000", set()),
    ],
)
def test_which_are_one(text: str, expected: set[tuple[str, str, str]]) -> None:
    assert set(twins(told(text))) == expected
    assert set(twins(reversed(told(text)))) == expected
