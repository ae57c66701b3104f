"""GET /v4/traces/detail/{trace_id}: a trace with all that was sent of its spans."""

from decimal import Decimal
from typing import Any

import pytest

from projects.services import create_api_key
from tests.api.conftest import Get
from tests.cast import Cast
from tests.kept import give_recorded
from tests.pages.spans import Spanlet, Value, request_of, span_id, store, store_trace, trace_id

from .conftest import MASKED, SESSION, answered

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

START = 1_700_000_000_000_000_000
OK, ERROR = 1, 2
TOOL, CALL = "0a58a5b5bca220d6", "73bfd140fdc4beea"


def detail(get: Get, trace: str) -> Any:
    return answered(get(f"/v4/traces/detail/{trace}", person="bob"))


def spans(get: Get, trace: str) -> dict[str, Any]:
    return {span["span_id"]: span for span in detail(get, trace)["spans"]}


def one_span(cast: Cast, get: Get, **attributes: Value) -> Any:
    named = {key.replace("__", "."): value for key, value in attributes.items()}
    [span] = detail(get, store_trace(cast.project.pk, [Spanlet("x", attributes=named)]))["spans"]
    return span


def test_a_recorded_session_has_these_very_figures(cast: Cast, get: Get) -> None:
    give_recorded(cast.project, "agentops-0.4.21-session")

    answer = detail(get, SESSION)

    assert answer | {"spans": ...} == {
        "freeplan_truncated": False,
        "project_id": str(cast.project.pk),
        "trace_id": SESSION,
        "tags": ["demo"],
        "metrics": {
            "span_count": 8,
            "trace_count": 1,
            "success_count": 1,  # the model's call; the SDK sets no status on what went well
            "fail_count": 1,
            "indeterminate_count": 6,
            "prompt_tokens": 12,
            "completion_tokens": 8,
            "cache_read_input_tokens": 0,
            "reasoning_tokens": 0,
            "total_tokens": 20,
            "prompt_cost": "0.0000000",
            "completion_cost": "0.0000000",
            "other_cost": "0.0100000",
            "average_cost_per_trace": "0.0100000",
            "total_cost": "0.0100000",
            "unknown_cost_calls": 1,
        },
        "spans": ...,
        "hidden_spans": 0,
    }
    assert [span["span_name"] for span in answer["spans"]] == [
        "research-run.session",
        "no_pii.guardrail",
        "no_pii.guardrail",
        "Researcher.agent",
        "think.task",
        "search.tool",
        "openai.chat.completion",
        "fail.task",
    ]


def test_a_span_has_every_field_of_the_contract(cast: Cast, get: Get) -> None:
    give_recorded(cast.project, "agentops-0.4.21-session")

    call = spans(get, SESSION)[CALL]

    attributes, resource = call.pop("span_attributes"), call.pop("resource_attributes")
    assert call == {
        "freeplan_truncated": False,
        "span_id": CALL,
        "parent_span_id": "230ef3c3e122b9b2",
        "span_name": "openai.chat.completion",
        "span_kind": "Client",
        "span_type": "request",
        "service_name": "agentops",
        "start_time": "2026-11-23T08:29:07.873689+00:00",
        "end_time": "2026-11-23T08:29:07.968900+00:00",
        "duration": 1795422547968900823 - 1795422547873689725,
        "status_code": "OK",
        "status_message": "",
        "attributes": {},
        "event_timestamps": [],
        "event_names": [],
        "event_attributes": [],
        "link_trace_ids": [],
        "link_span_ids": [],
        "link_trace_states": [],
        "link_attributes": [],
        "metrics": {
            "prompt_tokens": 12,
            "completion_tokens": 8,
            "cache_read_input_tokens": 0,
            "reasoning_tokens": 0,
            "total_tokens": 20,
            "success_tokens": 20,
            "fail_tokens": 0,
            "indeterminate_tokens": 0,
            "prompt_cost": "0.0000000",
            "completion_cost": "0.0000000",
            "other_cost": "0.0000000",
            "total_cost": "0.0000000",
            "unknown_cost_calls": 1,
        },
    }
    assert attributes["gen_ai"]["usage"]["prompt_tokens"] == "12"
    assert attributes["gen_ai"]["prompt"][0]["role"] == "system"
    assert resource["agentops"]["project"]["id"] == str(cast.project.pk)
    assert resource["service"]["name"] == "agentops"


def test_what_happened_in_a_span_is_there(cast: Cast, get: Get) -> None:
    give_recorded(cast.project, "agentops-0.4.21-session")

    failed = spans(get, SESSION)["62999008c73ff5b2"]

    assert (failed["status_code"], failed["event_names"]) == ("ERROR", ["exception", "exception"])
    assert {event["exception.type"] for event in failed["event_attributes"]} == {"ValueError"}
    assert all("+" not in moment and "T" in moment for moment in failed["event_timestamps"])


def test_a_cost_is_split_as_the_client_splits_it(cast: Cast, get: Get) -> None:
    # Recorded: 0.00000165 for the prompt, 0.0000048 for the answer.
    give_recorded(cast.project, "litellm-1.106.2-mixed")

    answer = detail(get, MASKED)

    costs = {name: answer["metrics"][name] for name in answer["metrics"] if "cost" in name}
    assert costs == {
        "prompt_cost": "0.0000016",
        "completion_cost": "0.0000048",
        "other_cost": "0.0000000",
        "average_cost_per_trace": "0.0000064",
        "total_cost": "0.0000064",
        "unknown_cost_calls": 0,
    }


def test_list_detail_and_spans_agree_on_tokens_and_cost(cast: Cast, get: Get) -> None:
    # Defect 41: list and detail had a price book each.
    names = ("litellm-1.106.2-mixed", "litellm-1.106.2-otel-v2", "litellm-1.80.5", "genai-openai-1.3b0")
    give_recorded(cast.project, *names)
    listed = answered(get(f"/v4/traces/list/{cast.project.pk}?limit=100", person="bob"))
    tokens = 0

    for item in listed["traces"]:
        answer = detail(get, item["trace_id"])
        assert f"{Decimal(str(item['total_cost'] or 0)):.7f}" == answer["metrics"]["total_cost"]
        assert item["unknown_cost_calls"] == answer["metrics"]["unknown_cost_calls"]
        assert item["span_count"] == answer["metrics"]["span_count"] == len(answer["spans"])
        of_spans = [span["metrics"]["total_tokens"] for span in answer["spans"] if span["metrics"]]
        assert sum(of_spans) == answer["metrics"]["total_tokens"]
        tokens += answer["metrics"]["total_tokens"]
    assert tokens == listed["metrics"]["total_tokens"] > 0


def test_an_answer_from_the_cache_costs_nothing(cast: Cast, get: Get) -> None:
    give_recorded(cast.project, "litellm-1.106.2-cache-hit")
    listed = answered(get(f"/v4/traces/list/{cast.project.pk}?limit=100", person="bob"))

    costs = [detail(get, item["trace_id"])["metrics"]["total_cost"] for item in listed["traces"]]

    assert sorted(costs) == ["0.0000000", "0.0000000", "0.0000159"]  # a probe, the hit, the call that was paid


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("input_tokens", "output_tokens"), (7, 5, 12)),
        (("prompt_tokens", "completion_tokens"), (7, 5, 12)),
    ],
)
def test_both_names_of_tokens_count(
    cast: Cast, get: Get, names: tuple[str, str], expected: tuple[int, int, int]
) -> None:
    # Defect 45: only the older names counted, and such a span had no metrics at all.
    usage = {f"gen_ai__usage__{name}": count for name, count in zip(names, (7, 5), strict=True)}

    metrics = one_span(cast, get, gen_ai__operation__name="chat", gen_ai__request__model="m", **usage)["metrics"]

    assert (metrics["prompt_tokens"], metrics["completion_tokens"], metrics["total_tokens"]) == expected
    assert metrics["indeterminate_tokens"] == 12


def test_cached_and_reasoning_tokens_are_part_of_the_others(cast: Cast, get: Get) -> None:
    # Defect 42b: they were added on top.
    usage = {"prompt_tokens": 100, "completion_tokens": 50, "cache_read_input_tokens": 80, "reasoning_tokens": 20}
    named = {f"gen_ai__usage__{name}": count for name, count in usage.items()}

    metrics = one_span(cast, get, gen_ai__operation__name="chat", gen_ai__request__model="m", **named)["metrics"]

    assert (metrics["cache_read_input_tokens"], metrics["reasoning_tokens"], metrics["total_tokens"]) == (80, 20, 150)


@pytest.mark.parametrize(("text", "count"), [("many", 0), ("-1", 0), ("1.5", 1), ("99999999999999999999999999", 0)])
def test_a_count_that_is_no_count_spoils_nothing(cast: Cast, get: Get, text: str, count: int) -> None:
    # Defect 43: such a text made the whole answer a 500.
    span = one_span(
        cast, get, gen_ai__operation__name="chat", gen_ai__usage__prompt_tokens=text, gen_ai__usage__prompt_cost="NaN"
    )

    assert (span["metrics"]["prompt_tokens"], span["metrics"]["prompt_cost"]) == (count, "0.0000000")


def test_a_span_without_anything_of_a_model_has_no_metrics(cast: Cast, get: Get) -> None:
    assert one_span(cast, get, foo="bar")["metrics"] is None


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"agentops__span__kind": "agent", "gen_ai__x": "1"}, "agent"),
        ({"agentops__span__kind": "tool", "agent__name": "a"}, "tool"),
        ({"agentops__span__kind": "llm"}, "request"),
        ({"agentops__span__kind": "session", "gen_ai__x": "1"}, "other"),
        ({"gen_ai__operation__name": "chat"}, "request"),
        ({"openinference__span__kind": "TOOL"}, "tool"),
        ({"zoo": "1", "tool__spec": "x", "list__0__agent": "y"}, "agent"),  # older clients: by the first such name
        ({"tool__spec": "x"}, "tool"),
        ({"foo": "bar"}, "other"),
        ({}, None),
    ],
)
def test_the_type_of_a_span_is_what_it_says_it_is(
    cast: Cast, get: Get, attributes: dict[str, str], expected: str | None
) -> None:
    # Defect 44: it depended on the order of attributes and never on the stated kind.
    assert one_span(cast, get, **attributes)["span_type"] == expected


def test_spans_come_in_order_and_tags_from_the_whole_trace(cast: Cast, get: Get) -> None:
    # Defect 44: spans came as they were stored, tags from any of them.
    project_id = cast.project.pk
    store(project_id, request_of({1: [Spanlet("late", id=3, parent=1, start=5)]}, START))
    store(project_id, request_of({1: [Spanlet("child", id=2, parent=1, end=3, attributes={"tag.tags": ["b"]})]}, START))
    store(project_id, request_of({1: [Spanlet("root", id=1, end=2, attributes={"agentops.tags": ["a"]})]}, START))

    answer = detail(get, trace_id(1))

    assert [span["span_name"] for span in answer["spans"]] == ["root", "child", "late"]
    assert answer["spans"][0]["parent_span_id"] == ""
    assert answer["tags"] == ["a", "b"]


def test_positions_out_of_order_nest_to_a_list(cast: Cast, get: Get) -> None:
    # Defect 44.
    span = one_span(cast, get, gen_ai__prompt__1__content="b", gen_ai__prompt__0__content="a")

    assert span["span_attributes"]["gen_ai"]["prompt"] == [{"content": "a"}, {"content": "b"}]


@pytest.mark.parametrize("form", ["/v4/traces/detail/{}", "/v4/traces/{}", "/v4/traces/{}?project_id={}"])
def test_all_addresses_open_to_members_and_the_projects_keys_only(cast: Cast, get: Get, secret: str, form: str) -> None:
    give_recorded(cast.project, "agentops-0.4.21-session")
    theirs = create_api_key(project=cast.foreign_project, name="theirs").secret
    sender = create_api_key(project=cast.project, name="sender", scopes=["ingest"]).secret
    address = form.format(SESSION, cast.project.pk)

    for credential in ({"person": "bo"}, {"person": "root"}, {"key": secret}):
        assert answered(get(address, **credential))["trace_id"] == SESSION
    assert get(address).status_code == 401
    assert get(address, key=sender).status_code == 403
    for stranger in ({"person": "charlie"}, {"key": theirs}):
        answer = get(address, **stranger)
        assert answer.status_code == 404
        expected = "Project not found" if "?" in form else "Trace not found."
        assert answer.json() == {"detail": expected}


@pytest.mark.parametrize("spelling", [SESSION.upper(), "da3ddb1b-0c51-1473-c4cf-cfa4e671121b"])
def test_an_id_may_be_written_in_capitals_or_as_a_uuid(cast: Cast, get: Get, spelling: str) -> None:
    give_recorded(cast.project, "agentops-0.4.21-session")

    assert detail(get, spelling)["trace_id"] == SESSION


@pytest.mark.parametrize("trace", ["0" * 32, "nonsense", "%00", "1'%20OR%201=1", "9" * 400, "list"])
def test_what_is_no_trace_is_404(get: Get, trace: str) -> None:
    answer = get(f"/v4/traces/detail/{trace}", person="alice")

    assert (answer.status_code, answer.json()) == (404, {"detail": "Trace not found."})


def test_failures_of_a_call_are_tokens_that_failed(cast: Cast, get: Get) -> None:
    attributes: dict[str, Value] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.usage.output_tokens": 1,
    }
    family = [
        Spanlet("root", end=9),
        Spanlet("fine", id=2, parent=1, status=OK, attributes=attributes),
        Spanlet("bad", id=3, parent=1, status=ERROR, attributes=attributes),
    ]
    found = spans(get, store_trace(cast.project.pk, family))

    assert found[span_id(2)]["metrics"]["success_tokens"] == 4
    assert found[span_id(3)]["metrics"]["fail_tokens"] == 4
    assert found[span_id(3)]["metrics"]["success_tokens"] == 0


def test_every_recorded_body_can_be_answered(cast: Cast, get: Get) -> None:
    give_recorded(cast.project, "litellm-1.106.2-failures", "litellm-1.106.2-semconv", "openinference-openai-0.1.66")
    listed = answered(get(f"/v4/traces/list/{cast.project.pk}?limit=100", person="bob"))["traces"]

    assert len(listed) == 27
    for item in listed:
        assert detail(get, item["trace_id"])["metrics"]["span_count"] == item["span_count"]
