"""What LiteLLM 1.106.2 asks, as recorded, and what it is answered."""

from copy import deepcopy
from typing import Any

import pytest
from django.test import Client

from guardrails.enforcement import in_force, ledger
from guardrails.enforcement.models import Decision, Limit, Rule
from projects import credentials
from projects.models import Project
from projects.services import create_api_key
from tests.cast import Cast, make_cast

pytestmark = pytest.mark.django_db
ADDRESS = "/beta/litellm_basic_guardrail_api"
CARD = "4111 1111 1111 1111"
REQUEST: dict[str, Any] = {
    "input_type": "request",
    "litellm_call_id": "0ed8ab54-3a0b-4f6e-9f06-b4bd1b8c4b11",
    "litellm_trace_id": "c9ca3d915170e7f85c11b9f6829faf57",
    "structured_messages": [
        {"role": "system", "content": "sys"},
        {"role": "user", "content": f"pay with {CARD} for a@b.com"},
    ],
    "images": None,
    "tools": None,
    "texts": ["sys", f"pay with {CARD} for a@b.com"],
    "request_data": {"user_api_key_hash": "88dc28d0", "user_api_key_user_id": "default_user_id"},
    "request_headers": {"host": "127.0.0.1:4000", "user-agent": "python-httpx/0.28.1", "x-call-label": "[present]"},
    "litellm_version": "1.106.2",
    "additional_provider_specific_params": {"policy": "demo-policy"},
    "tool_calls": None,
    "model": "qwen-235b",
}


@pytest.fixture
def cast() -> Cast:
    credentials.forget()
    in_force.forget()
    ledger.forget()
    return make_cast()


@pytest.fixture
def client(cast: Cast) -> Client:
    return Client(headers={"x-api-key": create_api_key(project=cast.project, name="proxy").secret})


def rule(project: Project, **values: Any) -> Rule:
    made = Rule(organization=project.organization, project=project, **{"name": "Personal data", **values})
    made.full_clean()
    made.save()
    in_force.forget()
    return made


def ask(client: Client, **changes: Any) -> dict[str, Any]:
    answer = client.post(ADDRESS, REQUEST | changes, content_type="application/json")
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def decisions() -> list[Decision]:
    ledger.flush()
    return list(Decision.objects.order_by("at"))


def test_what_a_rule_finds_is_masked_and_noted(client: Client, cast: Cast) -> None:
    made = rule(cast.project, entities=["card", "email"])

    assert ask(client) == {"action": "GUARDRAIL_INTERVENED", "texts": ["sys", "pay with <CARD> for <EMAIL>"]}
    [decision] = decisions()
    assert (decision.source, decision.phase, decision.action, decision.shadow_action) == (
        "litellm",
        "input",
        "mask",
        "",
    )
    assert decision.entities == {"CARD": 1, "EMAIL": 1}
    assert decision.rules == [
        {
            "id": str(made.pk),
            "name": "Personal data",
            "action": "mask",
            "shadow": False,
            "found": {"CARD": 1, "EMAIL": 1},
        }
    ]
    assert (decision.trace_id, decision.call_id) == (REQUEST["litellm_trace_id"], REQUEST["litellm_call_id"])
    assert (decision.model, decision.user, decision.key) == ("qwen-235b", "default_user_id", "88dc28d0")
    assert decision.latency_us > 0
    assert CARD not in str(vars(decision))


def test_the_strictest_rule_decides_and_allow_exempts(client: Client, cast: Cast) -> None:
    rule(cast.project, name="Ours", way="regex", pattern=r"\w+@b\.com", action="allow", position=1)
    rule(cast.project, entities=["email", "card"], action="mask")
    assert ask(client)["texts"][1] == "pay with <CARD> for a@b.com"

    rule(cast.project, name="No cards", entities=["card"], action="block", reason="Send no cards.")
    assert ask(client) == {"action": "BLOCKED", "blocked_reason": "Send no cards."}
    assert [each.action for each in decisions()] == ["mask", "block"]


def test_a_rule_that_only_watches_lets_pass_and_is_noted(client: Client, cast: Cast) -> None:
    rule(cast.project, entities=["card"], action="block", shadow=True)

    assert ask(client) == {"action": "NONE"}
    [decision] = decisions()
    assert (decision.action, decision.shadow_action, decision.entities) == ("allow", "block", {"CARD": 1})


def test_phase_and_project_and_what_is_off(client: Client, cast: Cast) -> None:
    rule(cast.project, entities=["card"], action="block", phase="output")
    rule(cast.project, entities=["card"], action="block", enabled=False)
    rule(cast.foreign_project, entities=["card"], action="block")
    assert ask(client) == {"action": "NONE"}
    assert ask(client, input_type="response", structured_messages=None)["action"] == "BLOCKED"

    made = rule(cast.project, entities=["email"])
    Rule.objects.filter(pk=made.pk).update(project=None)  # of all projects of the organization
    in_force.forget()
    assert ask(client)["texts"][1] == f"pay with {CARD} for <EMAIL>"


def test_tool_calls_are_masked_in_messages_and_blocked_in_answers(client: Client, cast: Cast) -> None:
    rule(cast.project, entities=["card"])
    call = {"id": "c1", "type": "function", "function": {"name": "pay", "arguments": '{"card": "4111111111111111"}'}}
    spoken: dict[str, Any] = {"role": "assistant", "content": None, "tool_calls": [call]}
    masked = deepcopy(spoken)
    masked["tool_calls"][0]["function"]["arguments"] = '{"card":"<CARD>"}'

    answer = ask(client, texts=[], structured_messages=[spoken], tool_calls=[call])
    assert answer == {"action": "GUARDRAIL_INTERVENED", "texts": [], "structured_messages": [masked]}
    answer = ask(client, input_type="response", texts=["ok"], structured_messages=None, tool_calls=[call])
    assert answer["action"] == "BLOCKED"


def test_what_stands_in_messages_alone_is_masked_there(client: Client, cast: Cast) -> None:
    rule(cast.project, entities=["email"])
    messages = [
        {"role": "user", "content": "a@b.com"},
        {"role": "assistant", "content": "", "function_call": {"name": "mail", "arguments": "to c@d.com"}},
    ]

    answer = ask(client, texts=["hi"], structured_messages=messages)
    assert [each["content"] for each in answer["structured_messages"]] == ["<EMAIL>", ""]
    assert answer["structured_messages"][1]["function_call"]["arguments"] == "to <EMAIL>"


def test_no_id_or_name_of_a_client_opens_a_limit_or_stops_the_ledger(client: Client, cast: Cast) -> None:
    for measure, per in (("requests", "user"), ("cost", "key")):
        Limit.objects.create(
            organization=cast.organization, name=measure, measure=measure, amount=2, reserve=1, per=per, window="month"
        )
    in_force.forget()
    hostile = {
        "litellm_trace_id": "0ed8ab54-3a0b-4f6e-9f06-b4bd1b8c4b11",
        "litellm_call_id": "c" * 1000,
        "model": "m" * 1000,
        "request_data": {"user_api_key_alias": "\0key", "user_api_key_user_id": "u\0" + "x" * 500},
    }

    assert [ask(client, **hostile)["action"] for _ in range(4)] == ["NONE", "NONE", "BLOCKED", "BLOCKED"]
    ask(client)
    noted = decisions()
    assert [each.action for each in noted] == ["allow", "allow", "block", "block", "allow"]
    assert (noted[0].key, len(noted[0].user), len(noted[0].call_id)) == ("key", 200, 100)


def test_a_body_of_three_megabytes_is_looked_at(client: Client, cast: Cast) -> None:
    rule(cast.project, entities=["card"])

    texts = ask(client, texts=["word " * 600_000 + CARD], structured_messages=None)["texts"]
    assert texts[0].endswith("word <CARD>")


def test_bad_requests_say_what_is_wrong(client: Client, cast: Cast) -> None:
    def status(body: Any, **headers: str) -> int:
        return int(client.post(ADDRESS, body, content_type="application/json", headers=headers).status_code)

    for changes in ({"input_type": "later"}, {"texts": "sys"}, {"texts": [1]}, {"structured_messages": ["x"]}):
        assert status({**REQUEST, **changes}) == 422
    assert status("{") == 422
    assert status("[]") == 422
    assert status(REQUEST | {"texts": ["nul \x00 and half \ud83d"]}) in (200, 422)
    assert status(REQUEST, **{"x-api-key": "00000000-0000-4000-8000-000000000000"}) == 401
    reading = create_api_key(project=cast.project, name="reads", scopes=["read"]).secret
    assert status(REQUEST, **{"x-api-key": reading}) == 403
    assert status(REQUEST | {"texts": ["x" * 4_200_000]}) == 413


def test_requests_and_tokens_are_limited_until_the_window_ends(client: Client, cast: Cast) -> None:
    values = {"organization": cast.organization, "project": cast.project, "window": "month"}
    Limit.objects.create(name="Three calls", measure="requests", amount=3, per="user", **values)
    # 3 and 40 bytes are 11 tokens
    Limit.objects.create(name="Tokens", measure="tokens", amount=50, per="model", **values)
    in_force.forget()

    assert [ask(client)["action"] for _ in range(4)] == ["NONE", "NONE", "NONE", "BLOCKED"]
    other = {"user_api_key_user_id": "somebody else"}
    assert ask(client, request_data=other)["action"] == "NONE"
    refused = ask(client, request_data=other)
    assert refused["blocked_reason"].startswith("Tokens: 44 used of 50. It starts anew at ")
    assert ask(client, request_data=other, model="gpt-4o")["action"] == "NONE"
    assert ask(client, input_type="response")["action"] == "NONE"  # answers are not counted
    noted = [(each.action, [rule["name"] for rule in each.rules]) for each in decisions()]
    assert [noted[3], noted[5]] == [("block", ["Three calls"]), ("block", ["Tokens"])]
