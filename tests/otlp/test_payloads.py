"""Each recorded body of a real client, posted to the real receiver, is stored value by value."""

import gzip
from pathlib import Path

import pytest
import zstandard

from .conftest import PAYLOADS, Receiver, Tenant
from .rows import assert_stored

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

RECORDED = sorted(PAYLOADS.glob("*.pb"))
SPANS = {
    "agentops-0.4.21-session": 8,
    "genai-openai-1.3b0": 8,
    "litellm-1.106.2-cache-hit": 27,
    "litellm-1.106.2-failures": 208,
    "litellm-1.106.2-mixed": 103,
    "litellm-1.106.2-otel-v2": 59,
    "litellm-1.106.2-provider-budget": 24,
    "litellm-1.106.2-semconv": 90,
    "litellm-1.80.5": 63,
    "openinference-openai-0.1.66": 2,
    "traceloop-openai-0.62.4": 8,
}


def test_every_recorded_body_is_tested() -> None:
    assert {path.stem for path in RECORDED} == set(SPANS)


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_recorded_body_is_stored_value_by_value(path: Path, otlp: Receiver, tenant: Tenant) -> None:
    answer = otlp.post(path.read_bytes(), tenant.key)

    assert (answer.status_code, answer.content) == (200, b"")
    assert assert_stored(path.read_bytes(), tenant.project_id) == SPANS[path.stem]


@pytest.mark.parametrize(
    ("encoding", "encode"), [("gzip", gzip.compress), ("zstd", zstandard.compress)], ids=["gzip", "zstd"]
)
def test_a_compressed_body_is_the_same(encoding: str, encode, otlp: Receiver, tenant: Tenant) -> None:  # type: ignore[no-untyped-def]
    body = (PAYLOADS / "litellm-1.80.5.pb").read_bytes()

    answer = otlp.post(encode(body), tenant.key, content_encoding=encoding)

    assert answer.status_code == 200
    assert assert_stored(body, tenant.project_id) == 63
