"""Images are named, escapes are letters, and nothing of it takes a stranger's text more than linear time."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traces.reading.messages import conversation, payload
from traces.reading.messages.media import named_text
from traces.reading.replay import text_of
from traces.store.values.budget import limited
from traces.store.values.readable import readable
from traces.store.values.surrogates import mended_json

from .test_client_messages import Line, lines
from .test_documented_messages import said

PNG = "iVBORw0KGgo" + "A" * 1000 + "="  # 1,012 letters of base64
PNG_URL = f"data:image/png;base64,{PNG}"
IMAGE: Line = ("user", "media", "image(image/png, 758 bytes)")
IMAGES: list[dict[str, Any]] = [
    {"type": "image_url", "image_url": {"url": PNG_URL, "detail": "low"}},
    {"type": "image_url", "image_url": PNG_URL},
    {"type": "input_image", "image_url": PNG_URL},
    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
    {"inline_data": {"mime_type": "image/png", "data": PNG}},
    {"inlineData": {"mimeType": "image/png", "data": PNG}},
    {"type": "image", "image": PNG, "mediaType": "image/png"},
    {"type": "image", "image": PNG_URL},
    {"type": "blob", "modality": "image", "mime_type": "image/png", "content": PNG},
    {"message_content": {"type": "image", "image": {"image": {"url": PNG_URL}}}},
]


@pytest.mark.parametrize("part", IMAGES, ids=lambda part: " ".join(part))
def test_images_are_named_by_type_and_size(part: dict[str, Any]) -> None:
    attributes = {"gen_ai.input.messages": json.dumps([{"role": "user", "content": [part]}])}

    assert lines(conversation(attributes).asked) == [IMAGE]
    assert text_of(conversation(attributes).asked[0]) == "[image: image/png, 758 bytes]"


@pytest.mark.parametrize(
    ("part", "shown"),
    [
        ({"image": {"format": "png", "source": {"bytes": PNG}}}, "image(png, 758 bytes)"),
        ({"type": "input_audio", "input_audio": {"data": PNG, "format": "wav"}}, "audio(wav, 758 bytes)"),
        (
            {"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PNG}"}},
            "file(a.pdf, application/pdf, 758 bytes)",
        ),
        ({"type": "file", "file": {"file_id": "file-1"}}, "file(file-1)"),
        ({"type": "image", "source": {"type": "url", "url": "https://x/y.png"}}, "image(https://x/y.png)"),
    ],
)
def test_other_media(part: dict[str, Any], shown: str) -> None:
    assert said({"gen_ai.input.messages": [{"role": "user", "content": [part]}]})[0] == [("user", "media", shown)]


@pytest.mark.parametrize(
    "value",
    [
        {"messages": [{"content": [{"type": "image", "source": {"media_type": "image/png", "data": PNG}}]}]},
        {"image": PNG_URL},
        {"text": f"see ![it]({PNG_URL})"},
        {"result": PNG},
    ],
    ids=["anthropic", "url", "markdown", "bare"],
)
def test_no_image_is_dumped_where_values_are_shown(value: dict[str, Any]) -> None:
    shown = payload({"input.value": json.dumps(value), "output.value": json.dumps(json.dumps(value))})

    assert PNG[:40] not in shown.input + shown.output
    assert "758 bytes" in shown.input
    assert "758 bytes" in shown.output
    assert PNG[:40] not in named_text(json.dumps(value))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (r'{"a": "\ud55c\uad6d"}', '{"a": "한국"}'),
        (r'["env\/prod", "https:\/\/x\/y"]', '["env/prod", "https://x/y"]'),
        (r'"\ud83e\udd23 \ud83e"', '"🤣 \ufffd"'),
        (r'["\u0022", "\u005c", "\u000a", "\\u00e9", "\\/"]', r'["\u0022", "\u005c", "\u000a", "\\u00e9", "\\/"]'),
        (r'["\u202e"]', r'["\u202e"]'),
        (r"C:\users\/x", r"C:\users\/x"),
        (r"[not json \u00e9 \/]", r"[not json \u00e9 \/]"),
        (r"['\u00e9']", r"['\u00e9']"),
    ],
)
def test_letters_for_escapes_in_json_and_nowhere_else(text: str, shown: str) -> None:
    assert readable(text) == shown


def test_escapes_are_letters_in_messages_and_payloads() -> None:
    korean = r'{"city": "\ud30c\ub9ac"}'
    asked = said({"gen_ai.input.messages": [{"role": "tool", "content": korean}]})[0]

    assert asked == [("tool", "tool_result", '{"city": "파리"}')]
    assert payload({"output.value": r'"\ud30c\ub9ac"'}).output == '"파리"'


@pytest.mark.parametrize(
    "text",
    [
        "data:" * 400_000,
        "data:image/png;" + "a=b;" * 500_000,
        '"' + "Aa0" * 700_000,
        '"Aa0' * 500_000,
        '["' + r"\u" * 500_000 + '"]',
        '["' + r"\ud83e" * 300_000 + '"]',
        '["' + r"\/" * 1_000_000,
    ],
    ids=lambda text: text[:12],
)
def test_texts_of_strangers_take_linear_time(text: str) -> None:
    started = time.process_time()
    named_text(readable(text))
    conversation({"gen_ai.prompt.0.content": text, "events": text, "input.value": text})

    assert time.process_time() - started < 2


def test_beyond_the_budget_escapes_stay() -> None:
    text = json.dumps(["é" * 100_000])
    with limited(3_000):
        assert readable(text) == json.dumps(["é" * 100_000], ensure_ascii=False)
        assert readable(text) == text


@given(st.lists(st.text(st.sampled_from('\\"/u0é한\ud83e\udd23🤣\n\u202e\x7f'), max_size=8)), st.booleans())
def test_readable_json_is_the_same_json(texts: list[str], has_slashes: bool) -> None:
    text = json.dumps(texts).replace("/", r"\/" if has_slashes else "/")

    assert json.loads(readable(text)) == json.loads(mended_json(text))
    readable(text).encode()
