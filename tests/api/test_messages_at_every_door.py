"""What was said, by every door: the page, /api/v1, the film, the export, MCP."""

import json
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.cast import Cast
from tests.kept import START_NS, give
from tests.pages.spans import Spanlet, recorded, request_of, span_id, trace_id
from traces.mcp.span_tools import SpanParameters, get_span

from .conftest import Get

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

PNG = "iVBORw0KGgo" + "Aa0" * 2_000 + "="
KOREAN = [{"role": "user", "content": [{"type": "text", "text": "파리 날씨?"}]}]
PICTURE = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}]}]
CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
SAID = Spanlet(
    "said",
    attributes={
        **CHAT,
        "gen_ai.input.messages": json.dumps(KOREAN),
        "agentops.tags": ["env/prod"],
    },
    events=[("gen_ai.choice", {"message": json.dumps({"content": "맑음"})})],
)
SEEN = Spanlet(
    "seen",
    2,
    attributes={
        **CHAT,
        "gen_ai.input.messages": json.dumps(PICTURE),
        "llm.input_messages.0.message.contents.0.message_content.image.image.url": f"data:image/png;base64,{PNG}",
    },
)
# Messages that were log records (traces/ingest/otlp/events/genai.py).
UNSAID = Spanlet("unsaid", 3, attributes=CHAT)
LOGGED = [
    Spanlet(name, number, 3, number, attributes={"portal.log_event": name}, events=[(name, {key: text})])
    for number, (name, key, text) in enumerate(
        (
            ("gen_ai.user.message", "content", "서울 날씨?"),
            ("gen_ai.choice", "message", json.dumps({"content": "흐림"})),
        ),
        4,
    )
]
# Claude Code tells an answer beside its call.
ASKED = Spanlet("asked", 6, 0, 6, attributes={**CHAT, "request_id": "req_1"})
ANSWERED = Spanlet(
    "answered",
    7,
    1,
    7,
    attributes={"portal.log_event": "claude_code.assistant_response", "request_id": "req_1"},
    events=[("gen_ai.choice", {"content": "눈"})],
)
ESCAPED, WRITTEN = json.dumps(KOREAN), json.dumps(KOREAN, ensure_ascii=False)


@pytest.fixture
def told(cast: Cast) -> Cast:
    bodies = map(recorded, ("clients/strands", "clients/vercel", "clients/litellm-new"))
    give(cast.project, *bodies, request_of({1: [SAID, SEEN, UNSAID, *LOGGED, ASKED, ANSWERED]}, START_NS))
    return cast


def first(body: str, name: str, **wanted: str) -> tuple[str, str]:
    """Trace and span id of the first span of that name that has the attributes."""
    scopes = (scope for resource in recorded(f"clients/{body}").resource_spans for scope in resource.scope_spans)
    named = (span for scope in scopes for span in scope.spans if span.name == name)
    found: Span = next(
        span
        for span in named
        if wanted.items() <= {pair.key: pair.value.string_value for pair in span.attributes}.items()
    )
    return found.trace_id.hex(), found.span_id.hex()


def by_mcp(cast: Cast, span: str) -> Any:
    return get_span(cast.project.pk, SpanParameters.model_validate({"span_id": span, "trace_id": trace_id(1)}))


def page(get: Get, cast: Cast, trace: str, span: str) -> str:
    answer = get(f"/projects/{cast.project.pk}/traces/{trace}/spans/{span}/", person="bob", headers={"x-fragment": "1"})
    assert answer.status_code == 200
    return str(answer.content.decode())


@pytest.mark.parametrize(
    ("body", "name"), [("strands", "chat"), ("vercel", "ai.generateText.doGenerate"), ("vercel", "ai.streamText")]
)
def test_the_page_shows_who_said_what(told: Cast, get: Get, body: str, name: str) -> None:
    shown = page(get, told, *first(body, name))

    assert shown.count("chat-role-user") == 1
    assert shown.count("chat-role-assistant") == 1
    assert "The client sent no messages" not in shown


@pytest.mark.parametrize(("body", "name"), [("strands", "execute_tool get_weather"), ("vercel", "ai.toolCall")])
def test_the_page_shows_what_a_tool_was_given_and_gave_back(told: Cast, get: Get, body: str, name: str) -> None:
    shown = page(get, told, *first(body, name))

    assert '<pre class="code-block" tabindex="0">{\n  &quot;city&quot;: &quot;Paris&quot;\n}</pre>' in shown
    assert '<pre class="code-block" tabindex="0">sunny in Paris</pre>' in shown


def test_the_film_has_prompt_and_answer_of_events(told: Cast, get: Get) -> None:
    trace, _span = first("strands", "chat")
    film = get(f"/api/monitoring/replay/{trace}", person="bob").json()
    [call, *_] = [event["data"] for event in film["events"] if event["type"] == "llm_call"]
    [tool] = [event["data"] for event in film["events"] if event["type"] == "tool_use"]

    assert call["prompt"] == "be brief\nTOOL:get_weather"
    assert call["response"] == 'get_weather({\n  "city": "Paris"\n})'
    assert (tool["input"], tool["output"]) == ('{\n  "city": "Paris"\n}', "sunny in Paris")


def test_messages_that_were_log_records_stand_with_their_call(told: Cast, get: Get) -> None:
    shown, beside = (page(get, told, trace_id(1), span_id(number)) for number in (3, 6))
    film = get(f"/api/monitoring/replay/{trace_id(1)}", person="bob").json()
    calls = [event["data"] for event in film["events"] if event["type"] == "llm_call"]

    assert "As told by the span below: gen_ai.choice" in shown
    assert shown.index("서울 날씨?") < shown.index("흐림")
    assert "As told by the span below: answered" in beside
    assert [(call["prompt"], call["response"]) for call in calls][-2:] == [("서울 날씨?", "흐림"), ("", "눈")]


def test_an_answer_that_the_span_below_tells(told: Cast, get: Get) -> None:
    """LiteLLM's /v1/completions: the call tells that it ended, the provider's request below what was said."""
    trace, span = first("litellm-new", "litellm_request", **{"llm.request.type": "atext_completion"})
    shown = page(get, told, trace, span)
    film = get(f"/api/monitoring/replay/{trace}", person="bob").json()
    [call] = [event["data"] for event in film["events"] if event["type"] == "llm_call"]

    assert "As told by the span below: raw_gen_ai_request" in shown
    assert '<div class="plain-text">Paris is the capital of France.</div>' in shown
    assert call["response"] == "Paris is the capital of France."


def test_letters_for_escapes_at_every_door(told: Cast, get: Get) -> None:
    at = f"/api/v1/projects/{told.project.pk}/traces"
    one = get(f"{at}/{trace_id(1)}/spans/{span_id(1)}", person="bob").json()
    many = get(f"{at}/{trace_id(1)}?include=attributes", person="bob").json()["spans"][0]
    query = "range=24h&format=jsonl&spans=true&attributes=true"
    lines = get(f"{at}/export?{query}", person="bob").getvalue().decode().splitlines()
    [exported] = [trace for trace in map(json.loads, lines) if trace["trace_id"] == trace_id(1)]
    csv = get(f"{at}/export?{query.replace('jsonl', 'csv')}", person="bob").getvalue().decode()
    asked = by_mcp(told, span_id(1))
    shown = page(get, told, trace_id(1), span_id(1))

    for answer in (one, many, exported["spans"][0], asked.result.model_dump()):
        assert answer["attributes"]["gen_ai.input.messages"] == WRITTEN
        assert answer["attributes"]["agentops.tags"] == '["env/prod"]'
        assert answer["events"][0]["attributes"]["message"] == '{"content": "맑음"}'
    for text in (shown, csv, asked.text):
        assert "파리 날씨?" in text
        assert "맑음" in text
        assert r"\u" not in text


def test_an_image_is_named_to_people_and_models_and_whole_in_files(told: Cast, get: Get) -> None:
    shown = page(get, told, trace_id(1), span_id(2))
    asked = by_mcp(told, span_id(2))
    at = f"/api/v1/projects/{told.project.pk}/traces/{trace_id(1)}/spans/{span_id(2)}"

    for text in (shown.split('id="span-raw"')[0], asked.text):
        assert PNG[:100] not in text
        assert "image/png, 4.51 kB" in text
    assert PNG in get(at, person="bob").json()["attributes"]["gen_ai.input.messages"]
