"""What the spans of recorded clients say about calls, against the provider's own count (tests/payloads/clients)."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from agentops_portal.clickhouse.client import get_client
from tests.receiver import PAYLOADS, Receiver, entry_of
from traces.ingest.otlp import receiver

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])


@dataclass(frozen=True)
class Told:
    """Sums over the spans of a file."""

    done: int = 0
    failed: int = 0
    input: int = 0
    output: int = 0
    cached: int = 0
    written: int = 0
    reasoning: int = 0
    cost: str = "0"


RIGHT = {
    "adk-oi": Told(3, 0, 3010, 160, 384, 0, 48),
    "af": Told(4, 1, 4011, 211, 512, 0, 64),
    "ao-end-error-string": Told(),
    "ao-end-legacy": Told(),
    "ao-end-opraise": Told(),
    "ao-end-raise": Told(),
    "ao-native": Told(7, 1, 6222, 323, 128, 64, cost="0.01"),  # the cost of a tool
    "autogen": Told(),
    "claude-code": Told(3, 0, 3582, 156, 384, 192),  # 3006 and what the cache read and wrote
    "gai": Told(),
    "langfuse": Told(6, 1, 3032, 179, 389, 0, 48, "0.003"),
    "lc-oi": Told(10, 1, 9153, 603, 1152, 0, 144),
    # 15 made, one answered from the cache, which tells the tokens of the call that filled it (no sum of the portal has
    # them: tests/api/test_same_figures.py); two refused before any call.
    "litellm-new": Told(16, 3, 14974 + 1025, 1091 + 75, 1792 + 128, 192, 176 + 16, "0.01590899"),
    "nemo": Told(4, 0, 4010, 210),
    "oia-oi": Told(8, 1, 8127, 527, 896, 0, 112),
    "openlit": Told(8, 1, 6047 + 128 + 64, 345, 768, 64, 16),  # of Anthropic it tells input without the cache
    "pyai-conv2": Told(9, 0, 9045, 495, 1152, 0, 144, "0.00156735"),
    "pyai-logfire": Told(8, 1, 8051, 451, 1024, 0, 128, "0.00140145"),
    "smol": Told(7, 1, 7028, 378),
    "strands": Told(7, 1, 7030, 380, 896),
    "tl-crew": Told(4, 3, 4010, 210, 512, 0, 64),
    "vercel": Told(8, 1, 7229, 380, 768, 64, 80),
}
# Here two spans tell of one call. Each for itself is right; which of them counts, the trace says (COUNTED).
LAYERED = {
    "anth-oi": Told(12, 2, 14348, 644, 1536, 768),
    "autogen-oi": Told(6, 0, 6012, 312, 384, 0, 48),
    "dspy-both": Told(8, 2, 4010, 210, 512, 0, 64, "0.0006891"),
    "lc-oiboth": Told(22, 2, 18140, 1026, 2304, 0, 288),
    "li": Told(9, 1, 5024, 274, 640, 0, 80),  # an embedding below another
    "logfire-openai": Told(7, 1, 5216, 267, 640, 64, 64),  # the stream
    "oia-agentops": Told(2, 0, 2038, 138),
}
COUNTED = {
    "anth-oi": Told(6, 1, 7174, 322, 768),
    "autogen-oi": Told(3, 0, 3006, 156, 384, 0, 48),
    "dspy-both": Told(4, 1, 4010, 210, 512, 0, 64, "0.0006891"),
    "li": Told(8, 1, 5024, 274, 640, 0, 80),
    "lc-oiboth": Told(12, 1, 9077, 513, 1152, 0, 144),
    "litellm-new": Told(16, 3, 14974, 1091, 1792, 0, 176, "0.01590899"),  # an answer from the cache used nothing
    "logfire-openai": Told(6, 1, 5216, 267, 640, 0, 64),
    "oia-agentops": Told(1, 0, 1019, 69),
}
TYPES = {
    "vercel": {"chain": 8, "embedding": 1, "llm": 8, "tool": 1},
    "claude-code": {"llm": 3, "workflow": 2},
    "nemo": {"guardrail": 3, "llm": 4, "other": 9},
    "strands": {"agent": 6, "llm": 8, "other": 9, "tool": 2},
    "tl-crew": {"agent": 6, "llm": 7, "task": 4, "workflow": 3},
    "smol": {"agent": 2, "chain": 6, "llm": 8, "tool": 3},
}
MODELS = {
    "vercel": {"claude-sonnet-4-5", "err-500", "gpt-4o-mini-2024-07-18", "text-embedding-3-small"},
    "litellm-new": {"claude-sonnet-4-5", "err-500", "gpt-4o-mini", "text-embedding-3-small"},  # not the aliases
    "dspy-both": {"gpt-4o-mini"},  # openai/gpt-4o-mini, too
    "lc-oiboth": {"err-500", "gpt-4o-mini", "gpt-4o-mini-2024-07-18", "text-embedding-3-small"},
}
PROVIDERS = {
    "vercel": {"openai", "anthropic"},  # it says openai.chat and openai.responses
    "strands": {""},  # it names itself
    "adk-oi": {"gcp.gemini"},
    "litellm-new": {"openai", "anthropic"},
}

_SUMS = """
    SELECT project_id, countIf(is_llm_call AND StatusCode != 'Error'), countIf(is_llm_call AND StatusCode = 'Error'),
        sum(input_tokens), sum(output_tokens), sum(cached_input_tokens), sum(cache_write_tokens), sum(reasoning_tokens),
        sum(reported_cost), sumMap(map(toString(span_type), 1)),
        groupUniqArrayIf(toString(model), is_llm_call AND model != ''),
        groupUniqArrayIf(toString(provider), is_llm_call),
        sumIf(total_tokens, NOT is_llm_call)
    FROM otel_traces WHERE has({projects:Array(String)}, project_id) GROUP BY project_id
"""
_TRACES = """
    SELECT sum(done_calls), sum(failed_calls), sum(input), sum(output), sum(cached_input), sum(reasoning), sum(cost)
    FROM trace_summaries WHERE project_id = {project:String}
"""
_USAGE = """
    SELECT sumIf(spans, type IN ('llm', 'embedding') AND status != 'Error'),
        sumIf(spans, type IN ('llm', 'embedding') AND status = 'Error'),
        sum(input), sum(output), sum(cached_input), sum(reasoning), sum(cost)
    FROM usage_quarters WHERE project_id = {project:String}
"""


@dataclass(frozen=True)
class Found:
    told: Told
    types: dict[str, int]
    models: set[str]
    providers: set[str]
    tokens_of_others: int
    counted: tuple[Told, Told]  # by traces, by usage: without what was written to a cache


_found: dict[str, Found] = {}


@pytest.fixture
def found(receiver_server: Receiver) -> dict[str, Found]:
    """All files, stored once for all tests of a worker."""
    if not _found:
        projects: dict[str, UUID] = {}
        for path in sorted((PAYLOADS / "clients").glob("*.pb")):
            projects[path.stem] = uuid4()
            receiver.committer().submit(entry_of(projects[path.stem], path.read_bytes())).result(timeout=60)
        receiver.committer().settle()
        names = {str(project): name for name, project in projects.items()}
        for project, *row in get_client().query(_SUMS, parameters={"projects": list(names)}).result_rows:
            *sums, cost, types, models, providers, others = row
            told = _priced(sums, cost)
            counted = (_counted(_TRACES, project), _counted(_USAGE, project))
            _found[names[project]] = Found(told, types, set(models), set(providers), others, counted)
    return _found


def _counted(sql: str, project: str) -> Told:
    [[done, failed, *tokens, reasoning, cost]] = get_client().query(sql, parameters={"project": project}).result_rows
    return _priced([done, failed, *tokens, 0, reasoning], cost)


def _priced(sums: list[Any], cost: Decimal | None) -> Told:
    return replace(Told(*sums), cost=str(cost.normalize()) if cost else "0")


def test_every_span_that_asked_a_model_counts_with_its_tokens_and_no_other(found: dict[str, Found]) -> None:
    assert {name: each.told for name, each in found.items()} == RIGHT | LAYERED
    assert not [name for name, each in found.items() if each.tokens_of_others]


def test_spans_that_tell_one_call_are_one_call_in_traces_and_in_usage(found: dict[str, Found]) -> None:
    expected = {name: replace(told, written=0) for name, told in (RIGHT | COUNTED).items()}
    assert {name: each.counted[0] for name, each in found.items()} == expected
    assert {name: each.counted[1] for name, each in found.items()} == expected


def test_kinds_of_spans(found: dict[str, Found]) -> None:
    assert {name: found[name].types for name in TYPES} == TYPES


def test_models_and_providers_have_one_name(found: dict[str, Found]) -> None:
    assert {name: found[name].models for name in MODELS} == MODELS
    assert {name: found[name].providers for name in PROVIDERS} == PROVIDERS


def test_the_documented_table_is_what_was_found() -> None:
    from tests.dialects import client_table

    assert client_table.PAGE.read_text() == client_table.page(), "python -m tests.dialects.client_table writes it anew"
