import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentops_portal.embedded.clickhouse import sql
from agentops_portal.embedded.clickhouse.sql import Fault, Kind

WORDS = (
    *("INSERT", "INTO", "t", "(", ")", "FORMAT", "CSV", "VALUES", "SELECT", "1", ";", "'", "`", '"', "--", "\n"),
    *("/*", "*/", "SETTINGS", "a=1", ",", "FROM", "INFILE", "$$", "\\", "WITH", "input(", "file("),
)


@given(st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join) | st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    statement = sql.read(data)
    assert 0 <= statement.into <= len(data)
    assert 0 <= statement.data <= len(data)


@pytest.mark.parametrize("piece", [b"'\\", b'"\\', b"`\\", b"$a$", b"/*", b"((", b"--", b"INSERT INTO t "])
def test_reading_takes_time_in_proportion_to_the_text(piece: bytes) -> None:
    begun = time.process_time()
    sql.read(b"SELECT " + piece * (500_000 // len(piece)))
    assert time.process_time() - begun < 5


@pytest.mark.parametrize(
    ("text", "name", "tail", "data"),
    [
        (b"INSERT INTO t FORMAT CSV 1,2", "CSV", b" FORMAT CSV", b"1,2"),
        (b"INSERT INTO t FORMAT CSV\n 1,2", "CSV", b" FORMAT CSV", b" 1,2"),
        (b"INSERT INTO t FORMAT CSV \r\n\n", "CSV", b" FORMAT CSV", b"\n"),
        (b"INSERT INTO t(a) VALUES(1)", "Values", b" FORMAT Values", b"(1)"),
        (b"INSERT INTO `FORMAT` VALUES (1)", "Values", b" FORMAT Values", b"(1)"),
        (b"INSERT INTO format FORMAT TSV x", "TSV", b" FORMAT TSV", b"x"),
        (b"INSERT INTO values VALUES (1)", "Values", b" FORMAT Values", b"(1)"),
        (
            b"INSERT INTO a.b SETTINGS x = 'FORMAT', y=2 FORMAT TSV x",
            "TSV",
            b"SETTINGS x = 'FORMAT', y=2  FORMAT TSV",
            b"x",
        ),
        (
            b"INSERT INTO t FORMAT TSV SETTINGS x = 1, y = 'b' 1\t2",
            "TSV",
            b" SETTINGS x = 1, y = 'b' FORMAT TSV",
            b"1\t2",
        ),
        (b"INSERT INTO t FORMAT TSV SETTINGS\t2", "TSV", b" FORMAT TSV", b"SETTINGS\t2"),
        (b"INSERT INTO FUNCTION null('a Int8') FORMAT TSV 1", "TSV", b" FORMAT TSV", b"1"),
        (b"INSERT t VALUES (1)", "Values", b" FORMAT Values", b"(1)"),
    ],
)
def test_the_data_of_an_insert_is_found(text: bytes, name: str, tail: bytes, data: bytes) -> None:
    statement = sql.read(text)
    assert (statement.kind, statement.format, statement.fault) == (Kind.INSERT, name, None)
    assert statement.tail.split() == tail.split()
    assert text[statement.data :] == data


@pytest.mark.parametrize(
    "text",
    [
        b"INSERT INTO t SELECT 1",
        b"INSERT INTO t (a) SELECT 1 AS format",
        b"INSERT INTO t WITH 1 AS x SELECT x",
        b"INSERT INTO t (a, b) (SELECT 1, 2)",
        b"WITH 1 AS x INSERT INTO t SELECT x",
        b"INSERT INTO t FROM (SELECT 1)",
        b"CREATE TABLE t (a Int8) ENGINE = Memory",
        b"SHOW TABLES",
    ],
)
def test_a_statement_without_data_runs_as_it_stands(text: bytes) -> None:
    statement = sql.read(text)
    assert (statement.kind, statement.fault) == (Kind.OTHER, None)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (b"", Fault.EMPTY),
        (b" ; ; ", Fault.EMPTY),
        (b"SELECT 1; DROP TABLE t", Fault.MANY),
        (b"SELECT 1 INTO\n/**/OUTFILE 'x'", Fault.OUTFILE),
        (b"INSERT INTO t FROM INFILE 'x' FORMAT CSV", Fault.INFILE),
    ],
)
def test_what_is_refused_is_found(text: bytes, fault: Fault) -> None:
    assert sql.read(text).fault is fault


@pytest.mark.parametrize(
    "text",
    [
        b"SELECT 'INTO OUTFILE', \"FROM INFILE\", `file(` FROM t",
        b"SELECT url, file, s3 FROM t WHERE url IN ('a')",
        b"SELECT URLHash(url), files(x) FROM t",
        b"INSERT INTO url (file) VALUES (1); DROP TABLE t",
        b"SELECT 1 -- ; DROP TABLE t",
        b"SELECT $$ ; DROP TABLE t $$",
    ],
)
def test_what_only_looks_like_it_is_not_refused(text: bytes) -> None:
    assert sql.read(text).fault is None
