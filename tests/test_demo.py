import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from agentops_portal.clickhouse.client import get_client
from projects.models import ApiKey, Organization, Project
from projects.services import create_api_key
from traces.demo import load
from traces.demo.otlp import requests
from traces.demo.recorder import Recorder
from traces.demo.traffic import generate

from .inbox import wait_until_decoded
from .servers import RECEIVER, granian

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
PAYLOADS = Path(__file__).parent / "payloads"


@pytest.fixture(scope="module")
def traffic() -> Recorder:
    return generate(days=7, traces=1500, seed=1, now=NOW)


@pytest.fixture(scope="module")
def spans(traffic: Recorder) -> list[Span]:
    return [span for trace in traffic.traces for _, span in trace.spans]


@pytest.fixture(scope="module")
def receiver_url(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with granian(RECEIVER, tmp_path_factory.mktemp("demo") / "receiver.log") as url:
        yield url


@pytest.fixture
def organization(transactional_db: None) -> Organization:
    return Organization.objects.create(name="Agent Portal Organization")


def demo(url: str, *arguments: str) -> dict[str, Any]:
    output = StringIO()
    call_command("demo", "--endpoint", url, "--json", *arguments, stdout=output)
    result: dict[str, Any] = json.loads(output.getvalue())
    return result


def stored(project_id: UUID | str, query: str) -> list[dict[str, Any]]:
    wait_until_decoded(project_id)
    result = get_client().query(query, parameters={"project": str(project_id)})
    return list(result.named_results())


def bodies(traffic: Recorder) -> list[bytes]:
    return [message.SerializeToString(deterministic=True) for message in requests(traffic.traces)]


def test_the_same_seed_and_moment_give_the_same_bytes(traffic: Recorder) -> None:
    assert bodies(generate(days=7, traces=1500, seed=1, now=NOW)) == bodies(traffic)


def test_another_seed_gives_other_traffic(traffic: Recorder) -> None:
    other = generate(days=7, traces=1500, seed=2, now=NOW)

    assert other.tally.traces == 1500
    assert other.tally != traffic.tally


def test_another_moment_gives_other_trace_ids(traffic: Recorder) -> None:
    later = generate(days=7, traces=1500, seed=1, now=datetime(2026, 11, 21, 9, 30, tzinfo=UTC))

    assert not {trace.trace_id for trace in later.traces} & {trace.trace_id for trace in traffic.traces}


@pytest.mark.parametrize("count", [1, 2, 37])
def test_as_many_traces_as_asked_for_are_made(count: int) -> None:
    made = generate(days=1, traces=count, seed=5, now=NOW)

    assert (len(made.traces), made.tally.traces) == (count, count)


def test_every_message_can_be_read_back_with_every_span_once(traffic: Recorder, spans: list[Span]) -> None:
    read = [ExportTraceServiceRequest.FromString(body) for body in bodies(traffic)]
    sent = [
        span
        for message in read
        for resource in message.resource_spans
        for group in resource.scope_spans
        for span in group.spans
    ]

    assert len(sent) == len(spans) == traffic.tally.spans
    assert {span.span_id for span in sent} == {span.span_id for span in spans}
    assert len({span.span_id for span in sent}) == len(sent)


def test_every_span_is_valid_otlp(spans: list[Span]) -> None:
    for span in spans:
        assert (len(span.trace_id), len(span.span_id)) == (16, 8)
        assert len(span.parent_span_id) in (0, 8)
        assert span.name
        assert 0 < span.start_time_unix_nano <= span.end_time_unix_nano
        keys = [attribute.key for attribute in span.attributes]
        assert len(keys) == len(set(keys)), f"{span.name} names an attribute twice"


def test_every_parent_is_in_the_trace_and_each_trace_has_one_root(traffic: Recorder) -> None:
    for trace in traffic.traces:
        ids = {span.span_id for _, span in trace.spans}
        parents = [span.parent_span_id for _, span in trace.spans]
        assert parents.count(b"") == 1
        assert set(parents) - {b""} <= ids


def test_nothing_happens_after_now_or_before_the_first_day(spans: list[Span]) -> None:
    now = int(NOW.timestamp()) * 10**9
    a_week = 7 * 86_400 * 10**9

    assert max(span.end_time_unix_nano for span in spans) <= now
    assert min(span.start_time_unix_nano for span in spans) >= now - a_week


def test_the_last_hour_and_every_day_have_traffic(traffic: Recorder) -> None:
    day = 86_400 * 10**9
    ages = [int(NOW.timestamp()) * 10**9 - trace.spans[0][1].start_time_unix_nano for trace in traffic.traces]

    assert {age // day for age in ages} == set(range(7))
    assert min(ages) < day // 24


def test_nights_are_quieter_than_office_hours(traffic: Recorder) -> None:
    hours = [(trace.spans[0][1].start_time_unix_nano // (3_600 * 10**9) + 9) % 24 for trace in traffic.traces]

    assert sum(hour in range(6) for hour in hours) * 5 < sum(hour in range(10, 16) for hour in hours)


def test_everything_a_page_should_show_occurs(traffic: Recorder, spans: list[Span]) -> None:
    tally = traffic.tally
    attributes = {attribute.key: attribute.value.string_value for span in spans for attribute in span.attributes}
    errors = {a.value.string_value for span in spans for a in span.attributes if a.key == "error.type"}

    assert set(tally.guardrail_runs) == {"allowed", "masked", "flagged", "blocked", "failed"}
    assert len(tally.models) >= 6
    assert min(tally.cache_hits, tally.failed_llm_calls, tally.failed_tool_calls, tally.tool_calls) > 0
    assert tally.reported_cost > 0
    assert {"RateLimitError", "InternalServerError", "Timeout", "HTTPException", "ProxyException"} <= errors
    assert any("가" <= letter <= "힣" for letter in attributes["gen_ai.prompt.1.content"])
    assert len(tally.sessions) > 100
    assert len(tally.users) > 20


def test_litellm_spans_have_the_names_and_types_of_recorded_ones(traffic: Recorder) -> None:
    recorded = _shapes(
        (group.scope.name, span)
        for path in PAYLOADS.glob("litellm-1.106.2-*.pb")
        for resource in ExportTraceServiceRequest.FromString(path.read_bytes()).resource_spans
        for group in resource.scope_spans
        for span in group.spans
    )
    made = _shapes((scope.name, span) for trace in traffic.traces for scope, span in trace.spans)
    # The recorder's key belonged to no team, and only its provider was OpenAI.
    of_teams = re.compile(r"metadata\.user_api_key_team_\w+|llm\.(anthropic|gemini)\.\w+|llm\.user")

    ours = {key: shape for key, shape in made.items() if key[0] in {"litellm", "fastapi"}}
    assert len(ours) >= 12
    for key, shape in ours.items():
        unknown = {name: kinds for name, kinds in shape.items() if not kinds <= recorded[key].get(name, set())}
        assert {name for name in unknown if not of_teams.fullmatch(name)} == set(), key


def _shapes(spans: Any) -> dict[tuple[str, str], dict[str, set[str | None]]]:
    """(scope, span name) → attribute with numbers written N → the types of its values."""
    shapes: dict[tuple[str, str], dict[str, set[str | None]]] = {}
    for scope, span in spans:
        shape = shapes.setdefault((scope, span.name), {})
        for attribute in span.attributes:
            name = re.sub(r"\.\d+\.", ".N.", attribute.key)
            shape.setdefault(name, set()).add(attribute.value.WhichOneof("value"))
    return shapes


@pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])
def test_what_is_stored_equals_what_the_generator_counted(receiver_url: str, organization: Organization) -> None:
    sent = demo(receiver_url, "--traces", "600", "--seed", "3")

    project = Project.objects.get()
    assert (sent["project"], UUID(sent["project_id"])) == ("Sample project", project.pk)
    assert sent["seconds"] < 20
    [row] = stored(
        project.pk,
        """
        SELECT uniqExact(TraceId) AS traces, count() AS spans,
            countIf(is_llm_call) AS llm_calls,
            countIf(is_llm_call AND StatusCode = 'Error') AS failed_llm_calls,
            sumIf(input_tokens, is_llm_call AND NOT cache_hit) AS input_tokens,
            sumIf(output_tokens, is_llm_call AND NOT cache_hit) AS output_tokens,
            sumIf(total_tokens, is_llm_call AND NOT cache_hit) AS total_tokens,
            countIf(span_type = 'tool') AS tool_calls,
            countIf(span_type = 'tool' AND StatusCode = 'Error') AS failed_tool_calls
        FROM otel_traces WHERE project_id = {project:String}
        """,
    )
    assert row == {name: sent[name] for name in row}


@pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])
def test_guardrail_runs_are_counted_once_however_often_they_are_sent(
    receiver_url: str, organization: Organization
) -> None:
    sent = demo(receiver_url, "--traces", "600", "--seed", "3")

    rows = stored(
        sent["project_id"],
        """
        SELECT guardrail_outcome AS outcome, count() AS spans,
            uniqExact(TraceId, guardrail_name, guardrail_mode, Timestamp, end_timestamp) AS runs
        FROM otel_traces WHERE project_id = {project:String} AND guardrail_outcome != '' GROUP BY outcome
        """,
    )
    assert {row["outcome"]: row["runs"] for row in rows} == sent["guardrail_runs"]
    assert sum(row["spans"] for row in rows) > sum(row["runs"] for row in rows)


@pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])
def test_reported_cost_models_sessions_and_users_arrive(receiver_url: str, organization: Organization) -> None:
    counted = generate(days=7, traces=300, seed=4, now=NOW).tally
    result = load.load_demo(traces=300, seed=4, now=NOW, endpoint=receiver_url)

    assert result.project_id is not None
    [row] = stored(
        result.project_id,
        """
        SELECT sumIf(reported_cost, is_llm_call) AS cost,
            groupUniqArrayIf(session_id, session_id != '') AS sessions,
            groupUniqArrayIf(user_id, user_id != '') AS users
        FROM otel_traces WHERE project_id = {project:String}
        """,
    )
    assert result.tally == counted
    assert abs(row["cost"] - counted.reported_cost) < Decimal("0.0000001")
    assert counted.sessions <= set(row["sessions"])
    assert counted.users <= set(row["users"])


@pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])
def test_a_second_run_refuses_unless_it_is_told_to(receiver_url: str, organization: Organization) -> None:
    first = demo(receiver_url, "--traces", "20")
    second = demo(receiver_url, "--traces", "20")
    third = demo(receiver_url, "--traces", "20", "--again")

    [row] = stored(
        first["project_id"], "SELECT uniqExact(TraceId) AS traces FROM otel_traces WHERE project_id = {project:String}"
    )
    assert [first["loaded"], second["loaded"], third["loaded"]] == [True, False, True]
    assert row["traces"] == 40
    assert Project.objects.count() == 1


@pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])
def test_the_second_run_says_what_to_do(receiver_url: str, organization: Organization) -> None:
    demo(receiver_url, "--traces", "5")
    output = StringIO()
    call_command("demo", "--endpoint", receiver_url, stdout=output)

    assert "holds sample traffic already" in output.getvalue()
    assert "--again" in output.getvalue()


@pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])
def test_no_key_of_a_run_lives_on(receiver_url: str, organization: Organization) -> None:
    demo(receiver_url, "--traces", "5")

    key = ApiKey.objects.get()
    assert (key.status(), key.scopes) == ("revoked", ["ingest"])


@pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])
def test_a_key_decides_the_project(receiver_url: str, organization: Organization) -> None:
    project = Project.objects.create(organization=organization, name="agent-portal")
    key = create_api_key(project=project, name="mine").secret

    sent = demo(receiver_url, "--traces", "5", "--key", key)

    [row] = stored(project.pk, "SELECT count() AS spans FROM otel_traces WHERE project_id = {project:String}")
    assert row["spans"] == sent["spans"]
    assert Project.objects.count() == 1


@pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])
def test_the_receivers_reason_is_shown(receiver_url: str, organization: Organization) -> None:
    with pytest.raises(CommandError, match=r"answers 401: .*key"):
        demo(receiver_url, "--traces", "5", "--key", "00000000-0000-4000-8000-000000000000")


@pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])
def test_a_receiver_that_is_away_is_an_error_with_the_way_out(organization: Organization) -> None:
    with pytest.raises(CommandError, match=r"Nothing takes traces at .*make up.*0 of \d+ spans"):
        demo("http://127.0.0.1:9", "--traces", "5")

    assert ApiKey.objects.get().status() == "revoked"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--project", "nothing of that name"], "There is no project 'nothing of that name'"),
        ([], "run `manage.py bootstrap` first"),
        (["--days", "0"], "less than 1"),
    ],
)
def test_bad_arguments_are_refused(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("demo", *arguments, stdout=StringIO())


@pytest.mark.django_db
def test_two_projects_of_one_name_need_an_id(db: None) -> None:
    for name in ("One", "Two"):
        Project.objects.create(organization=Organization.objects.create(name=name), name="Twin")

    with pytest.raises(CommandError, match="2 projects are named 'Twin'"):
        call_command("demo", "--project", "Twin", stdout=StringIO())
