"""Characters that clients break: half a surrogate pair, bytes that are no UTF-8, marks at the beginning."""

import json
import time
from contextlib import suppress

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from traces.ingest.otlp.errors import BadData
from traces.ingest.otlp.json_text import parse

from .conftest import Receiver, Tenant
from .rows import stored_spans

JSON = "application/json"
IN_STORES = pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])
GONE = "\ufffd"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'"\ud83e"', GONE),
        (r'"\uD83E"', GONE),
        (r'"\ude00"', GONE),
        (r'"\uDE00 x"', f"{GONE} x"),
        (r'"a \ud83eb"', f"a {GONE}b"),
        (r'"\ud83e\ud83e\ude00"', f"{GONE}🨀"),
        (r'"\ud83e\ude00\ude00"', f"🨀{GONE}"),
        (r'"\ude00\ud83e"', GONE * 2),
        (r'"\ud83e\uDE00 \ud83e"', f"🨀 {GONE}"),
        (r'"\ud83e\n"', f"{GONE}\n"),
        (r'"\ud83e\\ude00"', f"{GONE}\\ude00"),
        (r'"\\ud83e \ud83e"', f"\\ud83e {GONE}"),
        (r'"\\\ud83e"', f"\\{GONE}"),
        (r'"\\\\ud83e\ude00"', f"\\\\ud83e{GONE}"),
        (r'"\"\\\"\ud83e"', f'"\\"{GONE}'),
        (r'{"\ud83e": "\ud83e"}', {GONE: GONE}),
        (r'["\ud7ff", "\ue000", "\ud83e"]', ["\ud7ff", "\ue000", GONE]),
    ],
)
def test_half_a_pair_becomes_a_replacement_character(text: str, value: object) -> None:
    assert parse(text.encode()) == value


@given(st.text(st.sampled_from('\\u"ndD8e0Eb7f83c/ \ud83e\ude00\ud800\udfff한'), max_size=40))
def test_pythons_reader_sees_the_same_text(text: str) -> None:
    """Python writes each half as an escape and reads it back; the halves that are left are those without a partner."""
    sent = json.dumps(text)

    assert parse(sent.encode()) == json.loads(sent).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@given(st.text(st.sampled_from('\\u"ndD8e0Eb7f83c{}[]:, '), max_size=60))
def test_what_is_no_json_is_refused_as_before(text: str) -> None:
    try:
        expected = orjson.loads(text)
    except orjson.JSONDecodeError:
        try:
            parsed = parse(text.encode())
        except BadData:
            return
        assert GONE in json.dumps(parsed, ensure_ascii=False)
    else:
        assert parse(text.encode()) == expected


@pytest.mark.parametrize(
    "text",
    [
        b"\\" * 8_000_000 + b'"',
        b'"' + b"\\ud83e" * 1_300_000 + b'"',
        b'"' + b"\\\\" * 4_000_000 + b'\\ud83e"',
        b"\\ud8" * 2_000_000,
    ],
    ids=["backslashes", "halves", "escaped backslashes", "broken escapes"],
)
def test_mending_is_linear(text: bytes) -> None:
    def seconds(body: bytes) -> float:
        begun = time.thread_time()
        with suppress(BadData):
            parse(body)
        return time.thread_time() - begun

    assert seconds(text) < 5  # 8 MB


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
def test_wide_text_is_named(encoding: str) -> None:
    with pytest.raises(BadData, match=f"is UTF-{encoding[4:6]} text"):
        parse('{"resourceSpans": []}'.encode(encoding))


def body(**fields: object) -> dict[str, object]:
    good = {"traceId": "5b8efff798038103d269b633813fc6a2", "startTimeUnixNano": "1795758000000000000"}
    spans = [good | {"spanId": "eee19b7ec3c1b1a2", "name": "fine"}, good | {"spanId": "eee19b7ec3c1b1a3"} | fields]
    return {"resourceSpans": [{"scopeSpans": [{"scope": {"name": "s"}, "spans": spans}]}]}


@IN_STORES
def test_half_an_emoji_costs_nothing_but_itself(otlp: Receiver, tenant: Tenant) -> None:
    """In a name, a key, a value, an event, a scope; the text is what JSON.stringify makes of a cut string."""
    half = "cut \ud83e"
    sent = body(
        name=half,
        attributes=[
            {"key": half, "value": {"stringValue": half}},
            {"key": "whole", "value": {"stringValue": "🨀 \\ud83e"}},
        ],
        events=[{"name": half, "timeUnixNano": "1795758000000000000"}],
        status={"message": half, "code": 2},
    )

    answer = otlp.post(json.dumps(sent).encode(), tenant.key, content_type=JSON)

    assert (answer.status_code, answer.json()) == (200, {})
    rows = {row["SpanName"]: row for row in stored_spans(tenant.project_id).values()}
    assert set(rows) == {"fine", f"cut {GONE}"}
    row = rows[f"cut {GONE}"]
    assert row["SpanAttributes"] == {f"cut {GONE}": f"cut {GONE}", "whole": "🨀 \\ud83e"}
    assert (row["Events.Name"], row["StatusMessage"]) == ([f"cut {GONE}"], f"cut {GONE}")


@IN_STORES
def test_half_an_emoji_in_an_id_costs_that_span(otlp: Receiver, tenant: Tenant) -> None:
    answer = otlp.post(json.dumps(body(traceId="\ud83e")).encode(), tenant.key, content_type=JSON)

    assert answer.status_code == 200
    assert answer.json()["partialSuccess"]["rejectedSpans"] == "1"
    assert "spans[1].traceId must be hexadecimal" in answer.json()["partialSuccess"]["errorMessage"]
    assert len(stored_spans(tenant.project_id)) == 1


@IN_STORES
def test_a_byte_order_mark_is_fine(otlp: Receiver, tenant: Tenant) -> None:
    answer = otlp.post(json.dumps(body(name="marked")).encode("utf-8-sig"), tenant.key, content_type=JSON)

    assert (answer.status_code, answer.json()) == (200, {})
    assert {row["SpanName"] for row in stored_spans(tenant.project_id).values()} == {"fine", "marked"}
