"""How runs ended, guardrails and agents in spans of clients of which no run is recorded: one request, many traces."""

from uuid import UUID, uuid4

import pytest
from pytest_django.plugin import DjangoDbBlocker

from tests.pages.spans import Spanlet, Value, request_of, span_id, store, trace_id
from traces.reading.export import export_traces
from traces.store.figures import TraceFigures
from traces.store.queries.filters import TraceFilter
from traces.store.queries.guardrail_pages import RunFilter, run_page
from traces.store.queries.scopes import whole_time
from traces.store.queries.summaries import figures_of
from traces.store.queries.trace_detail import spans, trace_scope
from traces.store.queries.trace_list import trace_page

from . import naive

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

START = 1_795_000_000 * 10**9
OK, ERROR = 1, 2
CHAT: dict[str, Value] = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
AGENT: dict[str, Value] = {"openinference.span.kind": "AGENT"}
CHAIN: dict[str, Value] = {"openinference.span.kind": "CHAIN"}
TOOL: dict[str, Value] = {"openinference.span.kind": "TOOL", "tool.name": "t"}
GUARDRAIL: dict[str, Value] = {"openinference.span.kind": "GUARDRAIL"}


def session(state: str = "", **more: Value) -> dict[str, Value]:
    said: dict[str, Value] = {"agentops.session.end_state": state} if state else {}
    return {"agentops.span.kind": "session", **said, **{name.replace("__", "."): value for name, value in more.items()}}


def logfire(template: str, **more: Value) -> dict[str, Value]:
    return {"logfire.msg_template": template, **more}


def run(**attributes: Value) -> list[Spanlet]:
    names = {name.replace("__", "."): value for name, value in attributes.items()}
    return [Spanlet("root", 1), Spanlet("run", 2, 1, attributes=names)]


FAILED = {
    "root ok, last call failed": [Spanlet("r", 1, status=OK), Spanlet("c", 2, 1, 0, 5, status=ERROR, attributes=CHAT)],
    "agent failed, root agent ok": [
        Spanlet("r", 1, status=OK, attributes=AGENT),
        Spanlet("a", 2, 1, 1, 9, status=ERROR, attributes=AGENT),
        Spanlet("c", 3, 2, 2, 8, attributes=CHAT),
    ],
    "turn of a tripwire": [
        Spanlet("r", 1, attributes=logfire("OpenAI Agents trace: {name}")),
        Spanlet("t", 2, 1, 1, 9, attributes=logfire("Turn {turn} for agent A", error='{"message":"x"}')),
        Spanlet("c", 3, 2, 2, 3, attributes=CHAT),
    ],
    "run of an agent of logfire": [
        Spanlet("r", 1, attributes=logfire("OpenAI Agents trace: {name}")),
        Spanlet("a", 2, 1, attributes=logfire("Agent run: {name!r}", name="A", error='{"message":"x"}')),
    ],
    "session says failure": [Spanlet("s", 1, attributes=session("Failure"))],
    "session below a session": [
        Spanlet("s", 1, attributes=session("Shutdown")),
        Spanlet("s", 2, 1, 1, 9, attributes=session("error")),
        Spanlet("c", 3, 2, 2, 3, attributes=CHAT),
    ],
    "indeterminate with an error": [
        Spanlet("s", 1, attributes=session("Indeterminate")),
        Spanlet("x", 2, 1, 1, 2, status=ERROR),
        Spanlet("c", 3, 1, 2, 3, attributes=CHAT),
    ],
}
FINE = {
    "fallback": [
        Spanlet("r", 1, status=OK),
        Spanlet("c", 2, 1, 0, 5, status=ERROR, attributes=CHAT),
        Spanlet("c", 3, 1, 6, 9, attributes=CHAT),
    ],
    "agent that another made good": [
        Spanlet("r", 1),
        Spanlet("a", 2, 1, 0, 4, status=ERROR, attributes=AGENT),
        Spanlet("a", 3, 1, 5, 9, status=OK, attributes=AGENT),
        Spanlet("c", 4, 3, 6, 8, attributes=CHAT),
    ],
    "tool that failed before the answer": [
        Spanlet("r", 1),
        Spanlet("t", 2, 1, 0, 4, status=ERROR, attributes=TOOL),
        Spanlet("c", 3, 1, 5, 9, attributes=CHAT),
    ],
    "what the function caught": [
        Spanlet("s", 1, attributes=session("Success")),
        Spanlet("t", 2, 1, 0, 4, status=ERROR, attributes={"agentops.span.kind": "task"}),
    ],
    "indeterminate without an error": [Spanlet("s", 1, attributes=session("Indeterminate"))],
    "no error": [Spanlet("r", 1), Spanlet("a", 2, 1, attributes={**AGENT, "error": "false"})],
}
RUNS = {
    ("rail", "blocked"): run(rail__type="input", rail__name="rail", rail__stop=True),
    ("retrieval rail", "allowed"): run(rail__type="retrieval", rail__name="retrieval rail", rail__stop=False),
    ("no_math", "blocked"): run(**logfire("Guardrail {name!r} {triggered=}", name="no_math", triggered=True)),
    ("no_code", "allowed"): run(**logfire("Guardrail {name!r} {triggered=}", name="no_code", triggered=False)),
    ("no_end", "unknown"): run(**logfire("Guardrail {name!r} {triggered=}", name="no_end")),
    ("v1", "masked"): run(validator__name="v1", validator__on_fail="fix", output__value='{"outcome": "fail"}'),
    ("v2", "blocked"): run(validator__name="v2", validator__on_fail="refrain", output__value='{"outcome": "fail"}'),
    ("v3", "flagged"): run(
        validator__name="v3", validator__on_fail="reask", validator__validate__output__outcome="fail"
    ),
    ("v4", "allowed"): run(validator__name="v4", validator__on_fail="exception", output__value='{"outcome":"pass"}'),
    ("moderation", "flagged"): run(
        guardrail_name="moderation", guardrail_status="success", guardrail_response='{"flagged": true}'
    ),
    ("bedrock", "masked"): run(
        guardrail_name="bedrock", guardrail_status="success", guardrail_response='{"action": "GUARDRAIL_INTERVENED"}'
    ),
    ("old", "unknown"): run(guardrail_name="old", guardrail_mode="pre_call"),
    ("returned", "blocked"): run(
        agentops__span__kind="guardrail",
        operation__name="returned",
        agentops__guardrail__output="GuardrailFunctionOutput(output_info=None, tripwire_triggered=True)",
    ),
    ("content filter", "allowed"): run(
        **CHAT, gen_ai__prompt__prompt_filter_results='[{"content_filter_results": {"hate": {"filtered": false}}}]'
    ),
    ("content filter", "blocked"): run(**CHAT, gen_ai__response__finish_reasons=["content_filter"]),
    ("Bedrock guardrail", "blocked"): run(**CHAT, gen_ai__response__finish_reasons=["guardrail_intervened"]),
}
NO_RUNS = [
    run(rail__type="dialog", rail__name="generate user intent", rail__stop=False),
    run(type="guardrails/guard/step", guard__name="g"),
    run(**CHAT, gen_ai__response__finish_reasons=["stop"]),
]
AGENTS = {
    "Researcher": Spanlet("Researcher._execute_core", attributes=AGENT),
    "Writer": Spanlet("Writer._execute_core", attributes={**AGENT, "graph.node.id": "Writer"}),
    "planner": Spanlet("planner.run_stream", attributes=AGENT),
    "graph": Spanlet("LangGraph", attributes={**AGENT, "metadata": '{"lc_agent_name": "graph", "thread_id": "th-1"}'}),
    "ReActAgent": Spanlet("ReActAgent.run", attributes=CHAIN),
    "of logfire": Spanlet("x", attributes=logfire("Agent run: {name!r}", name="of logfire")),
    "invoked": Spanlet("x", attributes={"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "invoked"}),
    "": Spanlet("x", attributes={"gen_ai.operation.name": "create_agent", "gen_ai.agent.name": "created"}),
    " ": Spanlet(
        "x",
        attributes={
            "gen_ai.operation.name": "invoke_agent",
            "traceloop.span.kind": "workflow",
            "gen_ai.agent.name": "RunnableSequence",
        },
    ),
}
TRIPPED = [
    Spanlet("run", 1, status=OK, attributes=AGENT),
    Spanlet(
        "turn", 2, 1, 0, 9, status=ERROR, attributes=CHAIN, message="Guardrail tripwire triggered: {'guardrail': 'pii'}"
    ),
    Spanlet("pii", 3, 2, 1, 2, status=OK, attributes=GUARDRAIL),
    Spanlet("tone", 4, 2, 1, 3, status=OK, attributes=GUARDRAIL),
    Spanlet("turn", 5, 1, 9, 10, status=OK, attributes=CHAIN),
    Spanlet("pii", 6, 5, 9, 10, status=OK, attributes=GUARDRAIL),
]
TRACES = [*FAILED.values(), *FINE.values(), *RUNS.values(), *NO_RUNS, *([each] for each in AGENTS.values()), TRIPPED]


@pytest.fixture(scope="module")
def stored(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> UUID:
    project_id = uuid4()
    with django_db_blocker.unblock():
        store(project_id, request_of(dict(enumerate(TRACES, start=1)), START))
    return project_id


def figures(project_id: UUID, trace: list[Spanlet]) -> TraceFigures:
    return figures_of(project_id, [id_of(trace)])[id_of(trace)]


def id_of(trace: list[Spanlet]) -> str:
    return trace_id(1 + next(number for number, each in enumerate(TRACES) if each is trace or each == trace))


def test_figures_are_those_of_a_scan(stored: UUID) -> None:
    assert trace_page(whole_time(stored), TraceFilter(), None, 1000).traces == naive.figures(stored)


def test_a_run_fails_when_its_last_work_did(stored: UUID) -> None:
    assert {name: figures(stored, trace).status for name, trace in FAILED.items()} == dict.fromkeys(FAILED, "error")
    assert {name: figures(stored, trace).status for name, trace in FINE.items()} == dict.fromkeys(FINE, "ok")


def test_what_came_of_a_guardrail_run(stored: UUID) -> None:
    for (name, outcome), trace in RUNS.items():
        [found] = run_page(whole_time(stored), RunFilter(trace_id=id_of(trace)), None, 10)
        assert (found.guardrail, found.outcome) == (name, outcome)
        assert figures(stored, trace).guardrail == outcome, name
    assert [figures(stored, trace).guardrail_runs for trace in NO_RUNS] == [0, 0, 0]
    blocked = trace_page(whole_time(stored), TraceFilter(guardrail="unknown"), None, 1000).traces
    assert {trace.trace_id for trace in blocked} == {
        *(id_of(trace) for (_, outcome), trace in RUNS.items() if outcome == "unknown"),
        id_of(TRIPPED),
    }


def test_a_filter_of_the_provider_leaves_its_call_a_call(stored: UUID) -> None:
    call = figures(stored, RUNS["content filter", "blocked"])

    assert (call.llm_calls, call.blocked_runs) == (1, 1)


def test_what_the_span_above_says_of_a_guardrail_counts_everywhere(stored: UUID) -> None:
    expected = {span_id(3): "blocked", span_id(4): "unknown", span_id(6): "unknown"}
    trace = figures(stored, TRIPPED)
    scope = trace_scope(stored, trace.trace_id)
    assert scope is not None

    assert (trace.status, trace.guardrail_runs, trace.blocked_runs, trace.unknown_runs) == ("error", 3, 1, 2)
    runs = run_page(whole_time(stored), RunFilter(trace_id=trace.trace_id), None, 10)
    assert {each.span_id: each.outcome for each in runs} == expected
    [one] = run_page(whole_time(stored), RunFilter(trace_id=trace.trace_id, outcome="blocked"), None, 10)
    assert one.span_id == span_id(3)
    rows = {each.span_id: each.guardrail_outcome for each in spans(scope, trace.trace_id) if each.guardrail_outcome}
    assert rows == expected
    text = b"".join(export_traces(whole_time(stored), TraceFilter(text=trace.trace_id), "csv", spans=True)).decode()
    assert [line.count("blocked") for line in text.splitlines() if ",pii," in line] == [1, 0]


def test_agents_have_the_names_that_their_frameworks_give_them(stored: UUID) -> None:
    for name, spanlet in AGENTS.items():
        assert figures(stored, [spanlet]).agents == ((name,) if name.strip() else ()), name
    assert figures(stored, [AGENTS["graph"]]).session_id == "th-1"


def test_a_root_without_parent_and_with_a_template(project_id: UUID) -> None:
    template = "Chat with {request_data[model]!r}"
    said = logfire(template, **{"logfire.msg": "Chat with 'm'"})
    request = request_of({1: [Spanlet(template, 1, attributes=said), Spanlet("{kept}", 2, 1, -5, 1)]}, START)
    request.resource_spans[0].scope_spans[0].spans[0].parent_span_id = bytes(8)

    store(project_id, request)

    [trace] = trace_page(whole_time(project_id), TraceFilter(), None).traces
    assert (trace.name, trace.has_root, trace.root_span_id) == ("Chat with 'm'", True, span_id(1))
    assert [trace.trace_id for trace in trace_page(whole_time(project_id), TraceFilter(text="{kept}"), None).traces]


def test_the_root_says_whose_a_trace_is(project_id: UUID) -> None:
    spanlets = [
        Spanlet("late", 3, 1, 5, 6, attributes={"session.id": "zz", "user.id": "child"}),
        Spanlet("early", 2, 1, 1, 2, attributes={"session.id": "mm", "user.id": "NULL"}),
        Spanlet("root", 1, attributes={"session.id": "aa", "user.id": "unknown"}),
    ]
    for number, spanlet in enumerate(spanlets):
        store(project_id, request_of({1: [spanlet]}, START))
        [trace] = trace_page(whole_time(project_id), TraceFilter(), None).traces
        assert (trace.session_id, trace.user_id) == (("zz", "mm", "aa")[number], "child")

    found = trace_page(whole_time(project_id), TraceFilter(session="aa", user="child"), None).traces
    assert [trace.trace_id for trace in found] == [trace_id(1)]
    assert trace_page(whole_time(project_id), TraceFilter(user="unknown"), None).traces == []
