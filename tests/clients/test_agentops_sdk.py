import json
import os
import subprocess
from pathlib import Path

import pytest

from projects.models import ApiKey
from projects.services import revoke_api_key

from .environments import client_environment
from .portal import Portal, Span

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])]

SHORT_RUNS = 3
SCRIPTS = Path(__file__).parent / "scripts"


def run_application(
    portal: Portal, openai_url: str, home: Path, script: str = "agentops_run.py", **more: str
) -> "subprocess.CompletedProcess[str]":
    environment = more | {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AGENTOPS_API_KEY": portal.key,
        "AGENTOPS_API_ENDPOINT": portal.web,
        "AGENTOPS_EXPORTER_ENDPOINT": f"{portal.receiver}/v1/traces",
        "AGENTOPS_APP_URL": portal.web,
        "AGENTOPS_LOGGING_TO_FILE": "false",
        # Its metrics go to a fixed address on the Internet: here that is nowhere.
        "NO_PROXY": "127.0.0.1",
        "HTTPS_PROXY": "http://127.0.0.1:9",
    }
    python = client_environment("agentops") / "python"
    return subprocess.run(
        [python, SCRIPTS / script, openai_url], env=environment, cwd=home, capture_output=True, text=True, timeout=90
    )


@pytest.fixture
def spans(portal: Portal, openai_url: str, tmp_path: Path) -> list[Span]:
    """What arrived of one run of the application."""
    done = run_application(portal, openai_url, tmp_path)
    assert done.returncode == 0, done.stderr
    return portal.wait_for(lambda spans: any(span["SpanName"] == "research-run.session" for span in spans))


def test_a_run_arrives_whole_with_nothing_but_environment_variables(spans: list[Span], portal: Portal) -> None:
    names = sorted(span["SpanName"] for span in spans)

    assert names == sorted(
        [
            "research-run.session",
            *["no_phone_numbers.guardrail"] * 2,
            "Researcher.agent",
            *("think.task", "fail.task"),
            *("search.tool", "broken_search.tool"),
            *["openai.chat.completion"] * 2,
        ]
    )
    assert {span["project_id"] for span in spans} == {str(portal.project_id)}
    assert len({span["TraceId"] for span in spans}) == 1
    _assert_a_tree(spans)


def test_the_model_call_has_model_tokens_and_messages(spans: list[Span]) -> None:
    [call] = [span for span in spans if span["is_llm_call"] and span["StatusCode"] == "Ok"]

    assert (call["span_type"], call["model"]) == ("llm", "gpt-4o-mini")
    assert (call["input_tokens"], call["output_tokens"], call["total_tokens"]) == (42, 17, 59)
    assert call["reported_cost"] is None
    assert call["SpanAttributes"]["gen_ai.prompt.1.content"] == "한국의 수도는?"
    assert "수도입니다" in call["SpanAttributes"]["gen_ai.completion.0.content"]


def test_guardrails_tools_and_agents_are_recognised(spans: list[Span]) -> None:
    by_type = {
        kind: [span for span in spans if span["span_type"] == kind] for kind in ("agent", "tool", "guardrail", "task")
    }

    assert [span["agent_name"] for span in by_type["agent"]] == ["Researcher"]
    assert {span["tool_name"]: span["StatusCode"] for span in by_type["tool"]} == {
        "search": "Unset",
        "broken_search": "Error",
    }
    assert sorted(span["guardrail_outcome"] for span in by_type["guardrail"]) == ["allowed", "blocked"]
    assert len(by_type["task"]) == 2


def test_failures_keep_their_exception(spans: list[Span]) -> None:
    [tool] = [span for span in spans if span["SpanName"] == "broken_search.tool"]
    [call] = [span for span in spans if span["is_llm_call"] and span["StatusCode"] == "Error"]

    assert tool["StatusMessage"] == "ValueError: no index for x"
    assert {event["exception.type"] for event in tool["Events.Attributes"]} == {"ValueError"}
    assert "429" in json.dumps(call["Events.Attributes"]) + call["StatusMessage"]


def test_nothing_arrives_with_a_revoked_key_and_the_application_lives_on(
    portal: Portal, openai_url: str, tmp_path: Path
) -> None:
    revoke_api_key(key=ApiKey.objects.get())

    done = run_application(portal, openai_url, tmp_path)

    assert done.returncode == 0, done.stderr
    assert portal.spans() == []


def test_a_trace_that_ends_right_after_init_arrives(portal: Portal, openai_url: str, tmp_path: Path) -> None:
    """The exporter has no token yet, and retries with the headers it had; but it takes OpenTelemetry's, too."""
    key = {"OTEL_EXPORTER_OTLP_TRACES_HEADERS": f"x-api-key={portal.key}"}
    for _ in range(SHORT_RUNS):
        done = run_application(portal, openai_url, tmp_path, "agentops_short.py", **key)
        assert done.returncode == 0, done.stderr

    spans = portal.spans()  # the exporter has its answer before the application ends
    assert [span["SpanName"] for span in spans] == ["short.session"] * SHORT_RUNS
    assert len({span["TraceId"] for span in spans}) == SHORT_RUNS


def _assert_a_tree(spans: list[Span]) -> None:
    ids = {span["SpanId"] for span in spans}
    roots = [span for span in spans if not span["ParentSpanId"]]
    assert [root["SpanName"] for root in roots] == ["research-run.session"]
    assert all(span["ParentSpanId"] in ids for span in spans if span not in roots)
