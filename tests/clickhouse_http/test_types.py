"""The official client writes and reads every type of column the project stores."""

import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

NOW = datetime(2026, 11, 23, 12, 34, 56, 789012, tzinfo=UTC)
TYPES: dict[str, list[Any]] = {
    "String": ["", "text", "한국어 🙂", "null\x00byte", "x" * 100_000],
    "LowCardinality(String)": ["", "gpt-4o", "gpt-4o", "claude"],
    "Map(LowCardinality(String), String)": [{}, {"gen_ai.system": "openai"}, {"a": "1", "b": "2"}],
    "Array(String)": [[], ["a"], ["a", "b"]],
    "Array(LowCardinality(String))": [[], ["exception"]],
    "Array(DateTime64(9))": [[], [NOW]],
    "Array(Map(LowCardinality(String), String))": [[], [{}], [{"a": "b"}, {"c": "d"}]],
    "Array(Array(String))": [[], [[]], [["a"], ["b", "c"]]],
    "DateTime64(9)": [NOW, datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)],
    "DateTime64(9, 'Asia/Seoul')": [NOW],
    "DateTime": [NOW.replace(microsecond=0)],
    "Date": [NOW.date()],
    "UInt8": [0, 255],
    "UInt16": [0, 404, 2**16 - 1],
    "UInt64": [0, 1, 2**64 - 1],
    "Int64": [0, -(2**63), 2**63 - 1],
    "Nullable(UInt64)": [None, 5],
    "Nullable(Decimal(18, 10))": [None, Decimal("0"), Decimal("0.0000000001"), Decimal("12345678.1234567891")],
    "Decimal(38, 10)": [Decimal("-1.5"), Decimal("1234567890123456789.0123456789")],
    "Bool": [True, False],
    "UUID": [uuid.UUID(int=0), uuid.UUID("b7a9c1de-0f63-4a1c-9d8e-1f2a3b4c5d6e")],
    "Float64": [0.0, -1.5, 1e300],
    "Enum8('ok' = 1, 'error' = 2)": ["ok", "error"],
    "Tuple(name String, count UInt32)": [{"name": "a", "count": 1}],
    "FixedString(4)": [b"abcd"],
}


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("empty_client_buffers", [False, True])
def test_a_column_comes_back_as_it_was_written(client: Client, kind: str, empty_client_buffers: bool) -> None:
    values = TYPES[kind]
    client.command(f"CREATE TABLE t (n UInt32, value {kind}) ENGINE = MergeTree ORDER BY n")
    rows = [[number, value] for number, value in enumerate(values)]
    if empty_client_buffers:  # as many inserts as rows
        for row in rows:
            client.insert("t", [row], column_names=["n", "value"])
    else:
        client.insert("t", rows, column_names=["n", "value"])
    found = [row[0] for row in client.query("SELECT value FROM t ORDER BY n", query_tz="UTC").result_rows]
    if "DateTime" in kind:
        found = [aware(value) for value in found]
    assert found == values


def aware(value: Any) -> Any:
    if isinstance(value, list):
        return [aware(each) for each in value]
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def test_nanoseconds_are_kept(client: Client) -> None:
    client.command("CREATE TABLE t (at DateTime64(9)) ENGINE = Memory")
    client.raw_insert("t", insert_block=b"2026-11-23 12:34:56.123456789\n", fmt="TSV")
    assert client.query("SELECT toUnixTimestamp64Nano(at) FROM t").result_rows == [(1_795_437_296_123_456_789,)]


def test_nested_columns_are_written_by_their_parts(client: Client) -> None:
    client.command(
        "CREATE TABLE t (id UInt8, Events Nested (Timestamp DateTime64(9), Name LowCardinality(String),"
        " Attributes Map(LowCardinality(String), String))) ENGINE = MergeTree ORDER BY id"
    )
    names = ["id", "Events.Timestamp", "Events.Name", "Events.Attributes"]
    client.insert("t", [[1, [NOW], ["exception"], [{"type": "ValueError"}]], [2, [], [], []]], column_names=names)
    rows = client.query("SELECT `Events.Name`, `Events.Attributes` FROM t ORDER BY id").result_rows
    assert rows == [(["exception"], [{"type": "ValueError"}]), ([], [])]
    with pytest.raises(Exception, match="SIZES_OF_ARRAYS_DONT_MATCH"):
        client.insert("t", [[3, [NOW], [], []]], column_names=names)
    assert client.query("SELECT count() FROM t").result_rows == [(2,)]


def test_materialized_columns_are_computed_and_not_part_of_a_star(client: Client) -> None:
    client.command(
        "CREATE TABLE t (attributes Map(String, String), model String MATERIALIZED attributes['model'])"
        " ENGINE = MergeTree ORDER BY model"
    )
    client.insert("t", [[{"model": "gpt-4o"}]], column_names=["attributes"])
    assert client.query("SELECT * FROM t").column_names == ("attributes",)
    assert client.query("SELECT model FROM t").result_rows == [("gpt-4o",)]


def test_states_of_aggregates_are_stored_and_merged(client: Client) -> None:
    client.command(
        "CREATE TABLE t (day Date, calls SimpleAggregateFunction(sum, UInt64), users AggregateFunction(uniq, String),"
        " latency AggregateFunction(quantilesTDigest(0.5, 0.95), Float64)) ENGINE = AggregatingMergeTree ORDER BY day"
    )
    states = (
        "toDate('2026-11-23'), count(), uniqState(toString(number % 10)),"
        " quantilesTDigestState(0.5, 0.95)(toFloat64(number))"
    )
    for _ in range(2):
        client.command(f"INSERT INTO t SELECT {states} FROM numbers(100)")
    merged = "SELECT sum(calls), uniqMerge(users), quantilesTDigestMerge(0.5, 0.95)(latency)[1] FROM t"
    calls, users, median = client.query(merged).result_rows[0]
    assert (calls, users) == (200, 10)
    assert 45 < median < 55
    copied = client.raw_query("SELECT * FROM t FORMAT RowBinary")
    client.command("CREATE TABLE copy AS t")
    client.raw_insert("copy", insert_block=copied, fmt="RowBinary")
    assert client.query(merged.replace("FROM t", "FROM copy")).result_rows == [(calls, users, median)]


def test_a_limit_0_query_tells_the_columns(client: Client) -> None:
    found = client.query("SELECT 1 AS a, 'x' AS b, now64(9) AS c LIMIT 0")
    assert found.column_names == ("a", "b", "c")
    assert [str(kind.name) for kind in found.column_types] == ["UInt8", "String", "DateTime64(9)"]
