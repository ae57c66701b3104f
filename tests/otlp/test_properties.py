"""Whatever a client sends: what ClickHouse decodes is what the protobuf library reads, and nothing gives a 5xx."""

import gzip
import uuid

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from traces.ingest.otlp.messages import TraceRequest
from traces.ingest.otlp.request import JSON, PROTOBUF

from .conftest import PAYLOADS, Receiver, Tenant
from .rows import assert_stored_all

# Spans of all months there are, through which the tests after them would have to go.
pytestmark = [pytest.mark.django_db(databases=["default", "clickhouse"]), pytest.mark.usefixtures("own_store")]

# Without shrinking: every step of it is a round trip, and the first failure says enough.
STEADY = settings(
    max_examples=40,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
UINT64 = st.integers(0, 2**64 - 1)
TIMES = st.one_of(UINT64, st.integers(1_700_000_000 * 10**9, 1_900_000_000 * 10**9))
# Bytes on purpose: text on the wire need not be UTF-8.
TEXT = st.one_of(st.text(max_size=12).map(str.encode), st.binary(max_size=12))


def scalars() -> st.SearchStrategy[dict[str, object]]:
    return st.one_of(
        st.builds(lambda v: {"string_value": v}, st.text(max_size=20).map(str.encode)),
        st.builds(lambda v: {"bool_value": v}, st.booleans()),
        st.builds(lambda v: {"int_value": v}, st.integers(-(2**63), 2**63 - 1)),
        st.builds(lambda v: {"double_value": v}, st.floats()),
        st.builds(lambda v: {"bytes_value": v}, st.binary(max_size=20)),
        st.just({}),
    )


VALUES = st.recursive(
    scalars(),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda values: {"array_value": {"values": values}}),
        st.dictionaries(st.text(max_size=5), inner, max_size=3).map(
            lambda values: {
                "kvlist_value": {"values": [{"key": key.encode(), "value": value} for key, value in values.items()]}
            }
        ),
    ),
    max_leaves=6,
)
ATTRIBUTES = st.dictionaries(st.text(max_size=8), VALUES, max_size=4).map(
    lambda values: [{"key": key.encode(), "value": value} for key, value in values.items()]
)
IDS = st.uuids().map(lambda value: value.bytes)


def messages(**fields: st.SearchStrategy[object]) -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries(fields)


SPANS = messages(
    trace_id=IDS,
    span_id=st.builds(lambda: uuid.uuid4().bytes[:8]),
    parent_span_id=st.one_of(st.just(b""), IDS.map(lambda value: value[:8])),
    trace_state=TEXT,
    name=TEXT,
    kind=st.integers(-(2**31), 2**31 - 1),
    start_time_unix_nano=TIMES,
    end_time_unix_nano=TIMES,
    attributes=ATTRIBUTES,
    events=st.lists(messages(time_unix_nano=TIMES, name=TEXT, attributes=ATTRIBUTES), max_size=2),
    links=st.lists(messages(trace_id=IDS, span_id=TEXT, trace_state=TEXT, attributes=ATTRIBUTES), max_size=2),
    status=messages(code=st.integers(-(2**31), 2**31 - 1), message=TEXT),
)
REQUESTS = messages(
    resource_spans=st.lists(
        messages(
            resource=messages(attributes=ATTRIBUTES),
            scope_spans=st.lists(
                messages(
                    scope=messages(name=TEXT, version=TEXT, attributes=ATTRIBUTES),
                    spans=st.lists(SPANS, max_size=3),
                ),
                max_size=2,
            ),
        ),
        max_size=2,
    )
)


@STEADY
@given(data=REQUESTS)
def test_clickhouse_decodes_what_protobuf_reads(data: dict[str, object], otlp: Receiver, tenant: Tenant) -> None:
    body = TraceRequest(**data).SerializeToString()

    answer = otlp.post(body, tenant.key)

    assert answer.status_code == 200, answer.text
    assert_stored_all(body, tenant.project_id)


@STEADY
@given(
    body=st.one_of(
        st.binary(max_size=400),
        st.binary(max_size=60).map(lambda tail: (PAYLOADS / "openinference-openai-0.1.66.pb").read_bytes() + tail),
        st.integers(0, 2000).map(lambda cut: (PAYLOADS / "openinference-openai-0.1.66.pb").read_bytes()[:cut]),
    ),
    content_type=st.sampled_from([PROTOBUF, JSON, "text/html", ""]),
    encoding=st.sampled_from(["", "gzip", "zstd", "deflate", "br"]),
    path=st.sampled_from(["/v1/traces", "/v1/logs", "/v1/metrics"]),
)
def test_arbitrary_bytes_never_give_a_5xx(
    body: bytes, content_type: str, encoding: str, path: str, otlp: Receiver, tenant: Tenant
) -> None:
    answer = otlp.post(body, tenant.key, path, content_type=content_type, content_encoding=encoding)

    assert answer.status_code in (200, 400, 413, 415), answer.text


@STEADY
@given(
    place=st.one_of(
        st.tuples(st.just("openinference-openai-0.1.66"), st.just("/v1/traces"), st.integers(0, 1990)),
        st.tuples(st.just("other_signals/claude-code-tool-logs"), st.just("/v1/logs"), st.integers(0, 6698)),
    ),
    value=st.integers(0, 255),
)
def test_a_flipped_byte_is_stored_or_refused(
    place: tuple[str, str, int], value: int, otlp: Receiver, tenant: Tenant
) -> None:
    name, path, position = place
    body = bytearray((PAYLOADS / f"{name}.pb").read_bytes())
    body[position] = value

    assert otlp.post(gzip.compress(body), tenant.key, path, content_encoding="gzip").status_code in (200, 400)
