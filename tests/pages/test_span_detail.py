"""The page, the fragment and the JSON of one span."""

import json

import pytest
from django.test import Client
from django.urls import reverse

from projects.models import Project
from tests.kept import give_recorded

from .spans import Spanlet, span_id, store_trace

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

ATTACK = '<script>alert("x")</script><img src=x onerror=alert(1)>'
ERROR = 2


def url_of(project: Project, trace: str, span: str) -> str:
    return reverse("span-detail", kwargs={"project_id": project.pk, "trace_id": trace, "span_id": span})


def fragment(client: Client, url: str) -> str:
    response = client.get(url, headers={"x-fragment": "1"})
    assert response.status_code == 200
    return response.content.decode()


def test_hostile_text_is_shown_as_text_wherever_it_stands(client: Client, project: Project) -> None:
    trace = store_trace(
        project.pk,
        [
            Spanlet(
                ATTACK,
                status=ERROR,
                message=ATTACK,
                attributes={
                    "gen_ai.operation.name": "chat",
                    "gen_ai.request.model": ATTACK,
                    "gen_ai.input.messages": json.dumps(
                        [
                            {"role": ATTACK, "content": ATTACK},
                            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": ATTACK}}]},
                        ]
                    ),
                    "gen_ai.output.messages": json.dumps(
                        [
                            {
                                "role": "assistant",
                                "content": None,
                                "tool_calls": [{"id": ATTACK, "function": {"name": ATTACK, "arguments": ATTACK}}],
                            }
                        ]
                    ),
                    ATTACK: ATTACK,
                },
                events=[
                    (
                        "exception",
                        {"exception.type": ATTACK, "exception.message": ATTACK, "exception.stacktrace": ATTACK},
                    )
                ],
            )
        ],
    )
    url = url_of(project, trace, span_id(1))

    for page in (client.get(url).content.decode(), fragment(client, url)):
        assert "<script>alert" not in page
        assert "<img" not in page.replace('<img src="/static/img/logo.svg"', "")
        assert page.count("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;") >= 9


def test_without_script_the_link_is_a_page_and_with_it_a_fragment(client: Client, project: Project) -> None:
    url = url_of(project, store_trace(project.pk, [Spanlet("root")]), span_id(1))

    page = client.get(url)

    assert page.content.decode().lstrip().startswith("<!doctype html>")
    assert "<html" not in fragment(client, url)
    assert "X-Fragment" in page.headers["Vary"]


def test_an_llm_call_is_shown_as_a_chat_with_line_breaks_kept(client: Client, project: Project) -> None:
    give_recorded(project, "litellm-1.106.2-mixed")
    url = url_of(project, "0bc4ed10adf7267627b4fcf03e4879ad", "5c0c28c2cf1f5e8c")

    response = client.get(url)

    talk = response.context["conversation"]
    assert [message.role for message in (*talk.asked, *talk.answered)] == ["system", "user", "assistant"]
    page = response.content.decode()
    assert '<div class="plain-text">Hello! I am a mock of Qwen.</div>' in page
    assert "unknown" in page
    assert "10 in, 20 out" in page


def test_an_exception_that_was_recorded_twice_is_shown_once(client: Client, project: Project) -> None:
    give_recorded(project, "agentops-0.4.21-session")

    response = client.get(url_of(project, "da3ddb1b0c511473c4cfcfa4e671121b", "62999008c73ff5b2"))

    assert len(response.context["events"]) == 2
    [exception] = response.context["exceptions"]
    assert exception["stacktrace"].startswith("Traceback")


def test_a_guardrail_says_what_it_answered(client: Client, project: Project) -> None:
    give_recorded(project, "litellm-1.106.2-mixed")

    page = fragment(client, url_of(project, "0918b44c88898607485f6e7f01a7b71e", "e26e28157f5b83e5"))

    assert "content-filter" in page
    assert "us_ssn" in page
    assert "Blocked" in page


def test_the_json_is_everything_that_is_stored(client: Client, project: Project) -> None:
    give_recorded(project, "litellm-1.106.2-mixed")
    url = url_of(project, "0918b44c88898607485f6e7f01a7b71e", "2afc156b4281c482")

    response = client.get(url, {"format": "json"})

    assert response.headers["Content-Type"] == "application/json"
    span = response.json()
    assert (span["name"], span["status"], span["model"]) == ("litellm_request", "Error", "qwen/qwen3-235b-a22b-2507")
    assert span["attributes"]["error.type"] == "HTTPException"
    assert span["events"][0]["attributes"]["exception.type"] == "fastapi.exceptions.HTTPException"
    assert isinstance(span["start_ns"], int)


def test_a_long_value_is_cut_on_the_page_and_whole_in_the_json(client: Client, project: Project) -> None:
    text = "가" * 300_000
    url = url_of(project, store_trace(project.pk, [Spanlet("root", attributes={"big": text})]), span_id(1))

    page = fragment(client, url)

    assert "… and 280000 more characters: see JSON" in page
    assert "Too long to show here." in page
    assert client.get(url, {"format": "json"}).json()["attributes"]["big"] == text


def test_a_span_that_is_not_there_is_404(client: Client, project: Project) -> None:
    trace = store_trace(project.pk, [Spanlet("root")])

    assert client.get(url_of(project, trace, span_id(2))).status_code == 404


def test_what_a_client_left_out_is_named(client: Client, project: Project) -> None:
    trace = store_trace(
        project.pk, [Spanlet("call", attributes={"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"})]
    )

    page = fragment(client, url_of(project, trace, span_id(1)))

    assert "The client sent no messages with this call." in page
    assert "not reported" in page
    assert "The client set no status." in page
