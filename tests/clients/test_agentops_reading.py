"""What the agentops SDK sent is read back over the APIs that its dashboard, its validation and its MCP server use."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from .environments import client_environment
from .portal import Portal
from .test_agentops_sdk import run_application

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])]

VALIDATE = Path(__file__).parent / "scripts" / "agentops_validate.py"
SPANS = 10


@pytest.fixture
def printed(portal: Portal, openai_url: str, tmp_path: Path) -> str:
    """What the application printed, once all that it sent is stored."""
    done = run_application(portal, openai_url, tmp_path)
    assert done.returncode == 0, done.stderr
    portal.wait_for(lambda spans: len(spans) == SPANS)
    return done.stdout


def read(portal: Portal, path: str, token: str = "") -> Any:
    headers = {"Authorization": f"Bearer {token or portal.key}"}
    return httpx.get(f"{portal.web}{path}", headers=headers, timeout=20).raise_for_status().json()


def test_a_run_is_read_back_with_its_figures_and_its_log(portal: Portal, printed: str) -> None:
    listed = read(portal, f"/v4/traces/list/{portal.project_id}?query=research-run")
    [item] = listed["traces"]
    trace = item["trace_id"]
    detail = read(portal, f"/v4/traces/detail/{trace}")
    metrics = read(portal, f"/v4/meterics/project/{portal.project_id}")

    # One call of a model went well, with 42 and 17 tokens; the tool cost a cent, and nobody says what the calls cost.
    assert (item["root_span_name"], item["tags"]) == ("research-run.session", ["demo"])
    assert (item["span_count"], item["error_count"]) == (SPANS, 3)
    assert (item["total_cost"], item["unknown_cost_calls"]) == (0.01, 2)
    assert listed["metrics"]["total_tokens"] == detail["metrics"]["total_tokens"] == 59
    types = sorted(str(span["span_type"]) for span in detail["spans"])
    assert types == sorted(["agent", *["request"] * 2, *["tool"] * 2, *["other"] * 5])
    assert (metrics["trace_count"], metrics["token_metrics"]["total_tokens"]["all"]) == (1, 59)
    # The SDK uploads what the application printed when its first root span ends.
    log = read(portal, f"/v4/logs/{trace}")["content"]
    assert re.fullmatch(r"[0-9-]{10} [0-9:]{8},[0-9]{3} - INFO - asked: 한국의 수도는\?\n", log)


def test_the_sdks_validation_finds_the_run(portal: Portal, printed: str, tmp_path: Path) -> None:
    [item] = read(portal, f"/v4/traces/list/{portal.project_id}")["traces"]
    python = client_environment("agentops") / "python"
    environment = {"AGENTOPS_API_KEY": portal.key, "HOME": str(tmp_path), "NO_PROXY": "127.0.0.1"}

    done = subprocess.run(
        [python, VALIDATE, portal.web, item["trace_id"], str(SPANS)],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=90,
    )

    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert (result["span_count"], result["has_llm_spans"]) == (SPANS, True)
    assert result["metrics"]["total_cost"] == "0.0100000"
    assert "validation_skipped" not in result


def test_a_project_token_reads_what_its_key_reads(portal: Portal, printed: str) -> None:
    answer = httpx.post(f"{portal.web}/public/v1/auth/access_token", json={"api_key": portal.key}, timeout=20)
    token = answer.raise_for_status().json()["bearer"]
    [item] = read(portal, "/public/v1/traces", token)["traces"]

    trace = read(portal, f"/public/v1/traces/{item['trace_id']}", token)
    spans = [read(portal, f"/public/v1/spans/{span['span_id']}", token) for span in trace["spans"]]

    assert [span["span_name"] for span in spans] == [span["span_name"] for span in trace["spans"]]
    assert read(portal, "/public/v1/project", token)["name"] == "agent-portal"
