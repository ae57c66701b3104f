"""What clients may not ask of the embedded ClickHouse, however they write it, and what they may."""

from collections.abc import Callable

import httpx
import pytest

Ask = Callable[..., httpx.Response]

pytestmark = pytest.mark.usefixtures("embedded_only")

URL = "'http://127.0.0.1:1/', 'LineAsString'"
FILE = "'/usr/lib/os-release', 'LineAsString'"

SOURCES = [
    f"SELECT * FROM `file`({FILE})",
    f'SELECT * FROM "file"({FILE})',
    f"SELECT * FROM FiLe ({FILE})",
    f"SELECT * FROM /* x */ `FILE` -- y\n ({FILE})",
    f"SELECT * FROM\t`file`#! z\n({FILE})",
    "SELECT path, name, size FROM `filesystem`('/etc/shadow')",
    f"SELECT * FROM `url`({URL})",
    "SELECT * FROM `s3`('http://127.0.0.1:1/bucket/a', 'LineAsString')",
    "SELECT * FROM `remote`('127.0.0.1:1', 'system.one')",
    "SELECT * FROM \"remoteSecure\"('127.0.0.1:1', system.one)",
    "SELECT * FROM `postgresql`('127.0.0.1:1', 'a', 'b', 'c', 'd')",
    "SELECT * FROM `mysql`('127.0.0.1:1', 'a', 'b', 'c', 'd')",
    "SELECT * FROM `mongodb`('127.0.0.1:1', 'a', 'b', 'c', 'd', 'x Int8')",
    "SELECT * FROM `redis`('127.0.0.1:1', 'a', 'a String')",
    "SELECT * FROM `sqlite`('/tmp/x.db', 'a')",
    "SELECT * FROM `odbc`('DSN=a', 'b', 'c')",
    "SELECT * FROM `hdfs`('hdfs://127.0.0.1:1/a', 'CSV', 'a Int8')",
    "SELECT * FROM `azureBlobStorage`('a', 'b', 'c')",
    "SELECT * FROM `icebergLocal`('/tmp/')",
    "SELECT * FROM `deltaLakeLocal`('/tmp/')",
    "SELECT * FROM `executable`('id', 'LineAsString', 'a String')",
    "SELECT * FROM `python`('x')",
    "SELECT * FROM `eval`('SELECT 1')",
    "SELECT * FROM `cluster`('default', system.one)",
    f"SELECT * FROM (SELECT * FROM (FROM `url`({URL})))",
    f"WITH x AS (SELECT * FROM `url`({URL})) SELECT * FROM x",
    f"SELECT 1 WHERE 'a' IN (SELECT * FROM `url`({URL}))",
    f"SELECT 1 WHERE 'a' IN `url`({URL})",
    f"SELECT 1 UNION ALL (SELECT 2 FROM `url`({URL}))",
    f"SELECT * FROM numbers(1) AS a JOIN `url`({URL}) AS b ON 1",
    f"SELECT * FROM view(SELECT * FROM `url`({URL}))",
    f"SELECT * FROM viewExplain('EXPLAIN', '', (SELECT * FROM `url`({URL})))",
    f"SELECT * FROM loop(`url`({URL}))",
    f"SELECT (SELECT * FROM `file`({FILE}) LIMIT 1)",
    f"DESCRIBE TABLE `file`({FILE})",
    f"DESC `url`({URL})",
    f"EXPLAIN SELECT * FROM `url`({URL})",
    f"EXPLAIN PIPELINE SELECT * FROM `url`({URL})",
    f"EXPLAIN SYNTAX INSERT INTO FUNCTION `url`({URL}) SELECT 1",
    "EXPLAIN TABLE OVERRIDE mysql('127.0.0.1:1', 'b', 'c', 'd', 'e') COLUMNS (a UInt8)",
    "INSERT INTO FUNCTION `file`('out.csv', 'CSV', 'a Int8') VALUES (1)",
    "INSERT INTO TABLE FUNCTION \"url\"('http://127.0.0.1:1/', 'CSV', 'a Int8') SELECT 1",
    f"INSERT INTO FUNCTION null('a String') SELECT * FROM `file`({FILE})",
]
FUNCTIONS = [
    "SELECT `file`('/usr/lib/os-release')",
    "SELECT length(FILE('/usr/lib/os-release'))",
    "SELECT * APPLY(`file`) FROM values('/usr/lib/os-release')",
    "SELECT * APPLY file FROM values('/usr/lib/os-release')",
    "SELECT * APPLY (x -> /* */ `file` (x)) FROM values('/usr/lib/os-release')",
    "SELECT * APPLY(x -> `file`(x)) FROM values('/usr/lib/os-release')",
    "SELECT * REPLACE (file('/usr/lib/os-release') AS c1) FROM values('a')",
    "SELECT arrayMap(x -> file(x), ['/usr/lib/os-release'])",
    "SELECT catboostEvaluate('/tmp/x', 1)",
    "SELECT reverseDNSQuery('127.0.0.1')",
    "SELECT hasColumnInTable('127.0.0.1:1', 'system', 'one', 'dummy')",
]
DEFINITIONS = [
    "CREATE TABLE x (a String) ENGINE = `File`(LineAsString, '/etc/passwd')",
    "CREATE TABLE x (a String) ENGINE \"URL\"('http://127.0.0.1:1/', 'CSV')",
    "CREATE TEMPORARY TABLE x (a String) ENGINE = File(CSV)",
    "CREATE OR REPLACE TABLE x (a String) /**/ ENGINE = /**/ `S3`('http://127.0.0.1:1/bucket/a')",
    "CREATE TABLE x (a String) ENGINE = `Executable`('id', 'CSV')",
    "CREATE TABLE x (a UInt64, b String) ENGINE = EmbeddedRocksDB(0, '/tmp/rocks') PRIMARY KEY a",
    "CREATE TABLE x (a UInt8) ENGINE = Distributed('a', 'b', 'c')",
    f"CREATE TABLE x AS `url`({URL})",
    f"CREATE TABLE x ENGINE = Memory AS SELECT * FROM `file`({FILE})",
    "CREATE TABLE x (a String DEFAULT `file`('/etc/passwd')) ENGINE = Memory",
    "CREATE TABLE x (a String, CONSTRAINT c CHECK a IN (SELECT * FROM file('b'))) ENGINE = Memory",
    f"CREATE VIEW x AS SELECT * FROM `url`({URL})",
    "CREATE MATERIALIZED VIEW x ENGINE = `URL`('http://127.0.0.1:1/', 'CSV') AS SELECT 1 AS a",
    f"CREATE MATERIALIZED VIEW x REFRESH EVERY 1 DAY ENGINE = Memory AS SELECT * FROM `url`({URL})",
    "CREATE TABLE x (a UInt8) ENGINE = MergeTree ORDER BY a SETTINGS disk = disk(type = local, path = '/srv/d/')",
    "CREATE TABLE x (a UInt8) ENGINE = MergeTree ORDER BY a SETTINGS index_granularity = 1, `disk` = `disk`(type = s3)",
    "CREATE DICTIONARY x (a UInt64) PRIMARY KEY a SOURCE(`FILE`(PATH '/etc/passwd' FORMAT 'CSV')) LAYOUT(FLAT())"
    " LIFETIME(1)",
    "CREATE DICTIONARY x (a UInt64) PRIMARY KEY a SOURCE(\"http\"(URL 'http://127.0.0.1:1/' FORMAT 'CSV'))"
    " LAYOUT(FLAT()) LIFETIME(1)",
    "CREATE DICTIONARY x (a UInt64) PRIMARY KEY a SOURCE(CLICKHOUSE(QUERY 'SELECT 1')) LAYOUT(FLAT()) LIFETIME(1)",
    "CREATE DATABASE x ENGINE = `Filesystem`('/')",
    "CREATE DATABASE x ENGINE = \"SQLite\"('/tmp/x.db')",
    "CREATE DATABASE x ENGINE = `PostgreSQL`('127.0.0.1:1', 'a', 'b', 'c')",
    "CREATE DATABASE x ENGINE = Backup('a', Disk('default', 'b'))",
    "ATTACH TABLE x FROM '/tmp/' (a UInt8) ENGINE = MergeTree ORDER BY a",
    f"ALTER TABLE x MODIFY QUERY SELECT * FROM `url`({URL})",
    "ALTER TABLE x UPDATE a = `file`('/etc/passwd') WHERE 1",
    f"DELETE FROM x WHERE a IN (SELECT * FROM `file`({FILE}))",
]
STATEMENTS = [
    "SYSTEM SHUTDOWN",
    "system /* */ kill",
    "SYSTEM RELOAD CONFIG",
    "SYSTEM STOP LISTEN HTTP",
    "SYSTEM ENABLE FAILPOINT a",
    "CREATE FUNCTION f AS x -> x",
    "CREATE NAMED COLLECTION c AS a = 1",
    "CREATE USER u",
    "CREATE ROLE r",
    "CREATE WORKLOAD w",
    "GRANT SELECT ON *.* TO default",
    "EXECUTE AS default SELECT 1",
    "BACKUP DATABASE default TO Disk('default', 'x')",
    "BACKUP DATABASE default TO `S3`('http://127.0.0.1:1/')",
    "BACKUP DATABASE default TO File('a') SETTINGS base_backup = S3('http://127.0.0.1:1/')",
    "RESTORE DATABASE default FROM `Disk`('default', 'x')",
    "EXPLAIN SELECT 1 PARALLEL WITH SYSTEM SHUTDOWN",
]
PATHS = [
    "SELECT * FROM '/usr/lib/os-release'",
    "SELECT * FROM `../../usr/lib/os-release`",
    "SELECT * FROM 'http://127.0.0.1:1/a.csv'",
    "SELECT 1 IN `/usr/lib/os-release`",
    "DESCRIBE `/usr/lib/os-release`",
    "SHOW CREATE TABLE `/usr/lib/os-release`",
    "INSERT INTO `/tmp/out.csv` VALUES (1)",
]
SETTINGS = [
    "SELECT 1 SETTINGS dialect = 'kusto'",
    "SET `dialect` = 'prql'",
    "SET max_threads = 1, dialect = 'prql'",
    "SELECT 1 SETTINGS max_threads = 1, additional_result_filter = '1 IN (SELECT * FROM file(1))'",
    "SELECT 1 FORMAT CSV SETTINGS \"additional_table_filters\" = {'a': 'b'}",
    "SELECT (SELECT 1 SETTINGS parallel_replicas_custom_key = '1')",
    "SELECT 1 SETTINGS format_schema_source = 'query'",
    "INSERT INTO x SETTINGS input_format_record_errors_file_path = '/tmp/x' FORMAT CSV 1",
]


@pytest.mark.parametrize("query", [*SOURCES, *FUNCTIONS, *DEFINITIONS, *STATEMENTS, *PATHS])
def test_what_clients_may_not_have_is_refused_at_once(ask: Ask, query: str) -> None:
    response = ask(query)
    assert (response.status_code, response.headers["X-ClickHouse-Exception-Code"]) == (403, "497"), response.text
    assert response.elapsed.total_seconds() < 10


@pytest.mark.parametrize("query", SETTINGS)
def test_settings_that_hold_queries_paths_or_languages_are_refused(ask: Ask, query: str) -> None:
    assert ask(query).headers["X-ClickHouse-Exception-Code"] == "452"


def test_they_are_refused_as_parameters_too(ask: Ask) -> None:
    refused = ask("file('/etc/passwd')", dialect="kusto")
    assert refused.headers["X-ClickHouse-Exception-Code"] == "452"
    refused = ask("SELECT 1", additional_result_filter="1 IN (SELECT * FROM url('http://127.0.0.1:1/'))")
    assert refused.headers["X-ClickHouse-Exception-Code"] == "452"


def test_a_parameter_names_no_file(ask: Ask) -> None:
    for path in ("/usr/lib/os-release", "../os-release"):
        refused = ask("SELECT * FROM {t:Identifier}", param_t=path)
        assert refused.headers["X-ClickHouse-Exception-Code"] == "497"
    assert ask("SELECT {v:String}", param_v="/usr/lib/os-release").text == "/usr/lib/os-release\n"


def test_what_was_refused_once_is_refused_again_and_its_like_is_not_remembered(ask: Ask) -> None:
    for _ in range(2):
        assert ask(f"SELECT * FROM `file`({FILE})").status_code == 403
    assert ask("SELECT count() FROM numbers(3)").text == "3\n"
    assert ask("SELECT count() FROM numbers(3)").text == "3\n"


def test_input_reads_what_came_with_the_query_and_nothing_else(ask: Ask) -> None:
    ask("CREATE TABLE x (a String) ENGINE = Memory")
    assert ask("INSERT INTO x SELECT upper(a) FROM input('a String') FORMAT CSV b").text == ""
    assert ask("SELECT * FROM x").text == "B\n"
    for text in (
        f"INSERT INTO x SELECT a FROM input('a String') WHERE a IN (SELECT * FROM `file`({FILE})) FORMAT CSV b",
        f"INSERT INTO x SELECT 'input(' FROM `file`({FILE}) FORMAT CSV b",
    ):
        assert ask(text).status_code in (400, 403)
    assert ask("SELECT * FROM x").text == "B\n"


def test_a_table_that_comes_with_a_query_is_no_way_around(http: httpx.Client) -> None:
    for structure, form in (
        ("a String) ENGINE = File(LineAsString, '/etc/passwd'", "CSV"),
        ("a String", "CSV SETTINGS dialect = 'kusto'"),
        ("a String", "CSV; SELECT * FROM file('/etc/passwd', 'CSV')"),
    ):
        params = {"query": "SELECT * FROM x", "x_structure": structure, "x_format": form}
        assert http.post("/", params=params, files={"x": b"1"}).status_code >= 400


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ("SELECT sum(number) FROM numbers(3)", "3\n"),
        ("SELECT * FROM `numbers`(1)", "0\n"),
        ("SELECT count() FROM generateRandom('a UInt8', 1) LIMIT 0", ""),
        ("SELECT * FROM values('a UInt8', 1)", "1\n"),
        ("SELECT * FROM format(TSV, 'a UInt8', '7')", "7\n"),
        ("SELECT * FROM merge('system', '^one$')", "0\n"),
        ("SELECT * FROM view(SELECT 1 AS a)", "1\n"),
        ('SELECT 1 AS file, 2 AS `url`, 3 AS "a/b" ORDER BY `a/b`', "1\t2\t3\n"),
        ("SELECT dialect FROM (SELECT 'x' AS dialect) WHERE dialect = 'x' SETTINGS max_threads = 1", "x\n"),
        ("SELECT sumIf(a, b), quantileExact(0.5)(a) FROM values('a UInt8, b UInt8', (1, 1))", "1\t1\n"),
        ("SELECT * APPLY(toString) APPLY(upper) FROM values('a')", "A\n"),
        ("SELECT URLHash('a') > 0, cutURLParameter('http://a/?b=1', 'b')", "1\thttp://a/?\n"),
        ("SELECT '/etc/passwd', `concat`('file(', 'x)')", "/etc/passwd\tfile(x)\n"),
        ("EXPLAIN SYNTAX SELECT 1", "SELECT 1\\nFROM system.one\n"),
        ("EXISTS TABLE no_such_table", "0\n"),
        ("SYSTEM STOP MERGES", ""),
        ("SYSTEM START MERGES", ""),
        ("SYSTEM DROP MARK CACHE", ""),
    ],
)
def test_everything_else_works(ask: Ask, query: str, answer: str) -> None:
    assert ask(query).text == answer


@pytest.mark.parametrize(
    "engine",
    [
        *(
            "MergeTree ORDER BY a",
            "ReplacingMergeTree ORDER BY a",
            "SummingMergeTree ORDER BY a",
            "Memory",
            "Log",
        ),
        *("AggregatingMergeTree ORDER BY a", "TinyLog", "`MergeTree` PARTITION BY a ORDER BY a TTL toDate(a) + 1"),
    ],
)
def test_tables_of_the_engine_s_own_are_made_filled_and_dropped(ask: Ask, engine: str) -> None:
    for query in (
        f"CREATE TABLE x (a UInt32 CODEC(ZSTD(1)), INDEX i a TYPE minmax) ENGINE = {engine}".replace(
            ", INDEX i a TYPE minmax" if "Tree" not in engine else "\0", ""
        ),
        "INSERT INTO x VALUES (1)",
        "INSERT INTO x SELECT number FROM numbers(2)",
        "CREATE VIEW v AS SELECT a FROM x",
        "CREATE TABLE y (a UInt32) ENGINE = Memory",
        "CREATE MATERIALIZED VIEW m TO y AS SELECT a FROM x",
        "SELECT * FROM v FORMAT Null",
        "DROP TABLE m",
        "DROP TABLE v",
        "RENAME TABLE x TO z",
        "TRUNCATE TABLE z",
        "DROP TABLE z SYNC",
    ):
        response = ask(query)
        assert (response.status_code, response.text) == (200, "")


def test_a_table_that_keeps_nothing_feeds_its_views(ask: Ask) -> None:
    ask("CREATE TABLE y (a UInt8) ENGINE = Memory")
    assert ask("CREATE TABLE x (a UInt8) ENGINE = Null").text == ""
    assert ask("CREATE MATERIALIZED VIEW m TO y AS SELECT a + 1 AS a FROM x").text == ""
    assert ask("INSERT INTO x VALUES (1)").text == ""
    assert ask("SELECT a FROM y").text == "2\n"
