import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
import structlog
from django.db import connections
from prometheus_client import REGISTRY

from agentops_portal.clickhouse import gate
from agentops_portal.clickhouse.gate import Limits, ProjectsScope, Scope, select, stream, unscoped_admin_select

from .test_clickhouse_backend import HOSTILE

START = datetime(2026, 3, 1, tzinfo=UTC)
SCOPE = Scope(uuid4(), START, START + timedelta(days=1))
# Every query uses its scope; this one for tests whose subject is something else.
WHERE = (
    "WHERE {project_id:String} != '' "
    "AND toDateTime64('2026-03-01 12:00:00', 9) BETWEEN {start:DateTime64(9)} AND {end:DateTime64(9)}"
)

PROJECTS = ProjectsScope((uuid4(), uuid4()), SCOPE.start, SCOPE.end)
NO_PROJECTS = ProjectsScope((), SCOPE.start, SCOPE.end)
OF_PROJECTS = WHERE.replace("{project_id:String} != ''", "'' NOT IN {project_ids:Array(String)}")

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])


def answer_of(columns: str, source: str = "system.one", **options: Any) -> list[dict[str, Any]]:
    chosen: dict[str, Any] = {"name": "test", "scope": SCOPE} | options
    return select(f"SELECT {columns} FROM {source} {WHERE}", **chosen)


@contextmanager
def at_address(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> Iterator[None]:
    with monkeypatch.context() as patch:
        for name, value in changes.items():
            patch.setitem(connections.settings["clickhouse"], name, value)
        yield


def _count(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0


def test_values_arrive_with_their_types() -> None:
    (row,) = answer_of(
        "toDateTime64('2026-03-01 00:00:00.123456789', 9) AS at, toDateTime('2026-03-01 00:00:00') AS second, "
        "toDecimal64('0.1000000001', 10) AS cost, toUUID('6f0b1c1e-0000-4000-8000-000000000001') AS id, "
        "map('k', 'v') AS labels, NULL AS nothing, [1, 2] AS list, true AS flag, '한국어' AS text"
    )

    assert row == {
        "at": datetime(2026, 3, 1, 0, 0, 0, 123456, tzinfo=UTC),
        "second": START,
        "cost": Decimal("0.1000000001"),
        "id": UUID("6f0b1c1e-0000-4000-8000-000000000001"),
        "labels": {"k": "v"},
        "nothing": None,
        "list": [1, 2],
        "flag": True,
        "text": "한국어",
    }
    assert row["at"].utcoffset() == row["second"].utcoffset() == timedelta(0)


def test_the_scope_is_bound_to_the_microsecond_whatever_its_offset() -> None:
    seoul = timezone(timedelta(hours=9))
    scope = Scope(uuid4(), datetime(2026, 3, 1, 9, 0, 0, 1, tzinfo=seoul), datetime(2026, 3, 2, tzinfo=UTC))

    (row,) = select(
        "SELECT {project_id:String} AS project, {start:DateTime64(9)} AS first, {end:DateTime64(9)} AS last",
        name="test",
        scope=scope,
    )

    assert row == {
        "project": str(scope.project_id),
        "first": datetime(2026, 3, 1, 0, 0, 0, 1, tzinfo=UTC),
        "last": datetime(2026, 3, 2, tzinfo=UTC),
    }


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("not a uuid", START, START + timedelta(1)), TypeError),
        ((uuid4(), START.replace(tzinfo=None), START), ValueError),
        ((uuid4(), START, START), ValueError),
        ((uuid4(), START + timedelta(1), START), ValueError),
    ],
)
def test_a_scope_that_makes_no_sense_is_refused(arguments: tuple[Any, ...], error: type[Exception]) -> None:
    with pytest.raises(error):
        Scope(*arguments)
    project, *times = arguments
    with pytest.raises(error):
        ProjectsScope((uuid4(), project), *times)


@pytest.mark.parametrize(
    ("scope", "where", "missing"),
    [
        *((SCOPE, WHERE, placeholder) for placeholder in Scope.REQUIRED),
        *((PROJECTS, OF_PROJECTS, placeholder) for placeholder in ProjectsScope.REQUIRED),
        *((NO_PROJECTS, OF_PROJECTS, placeholder) for placeholder in ProjectsScope.REQUIRED),
    ],
)
@pytest.mark.parametrize("ask", [select, stream])
def test_a_query_that_leaves_out_projects_or_time_is_refused_before_it_is_sent(
    ask: Callable[..., Any], scope: Any, where: str, missing: str
) -> None:
    query = f"SELECT 1 /* {missing} */ {where.replace(missing, 'now()')} -- {missing}"

    with pytest.raises(gate.QueryError, match="test does not use") as caught:
        list(ask(query, name="test", scope=scope))

    assert missing in str(caught.value)
    assert caught.value.query_id == ""


def test_a_query_cannot_choose_its_project_itself() -> None:
    with pytest.raises(gate.QueryError, match="passes project_id itself"):
        answer_of("1", parameters={"project_id": str(uuid4())})


def test_a_query_of_several_projects_cannot_choose_them_itself() -> None:
    for name, value in (("project_ids", [str(uuid4())]), ("project_id", str(uuid4()))):
        with pytest.raises(gate.QueryError, match=f"passes {name} itself"):
            select(f"SELECT 1 {OF_PROJECTS}", name="test", scope=PROJECTS, parameters={name: value})


@pytest.mark.parametrize("wrong", [(SCOPE, OF_PROJECTS), (PROJECTS, WHERE)])
def test_a_query_gets_the_projects_that_it_asks_for_or_none(wrong: tuple[Any, str]) -> None:
    scope, where = wrong
    with pytest.raises(gate.QueryError, match="test does not use"):
        select(f"SELECT 1 {where}", name="test", scope=scope)


def test_several_projects_are_bound_as_a_list_however_long() -> None:
    many = ProjectsScope(tuple(uuid4() for _ in range(3000)), SCOPE.start, SCOPE.end)

    [row] = select(f"SELECT {{project_ids:Array(String)}} AS ids FROM system.one {OF_PROJECTS}", name="t", scope=many)

    assert row["ids"] == [str(each) for each in many.project_ids]


def test_of_no_project_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with at_address(monkeypatch, HOST="127.0.0.1", PORT="9"):  # nobody is there
        assert select(f"SELECT 1 {OF_PROJECTS}", name="test", scope=NO_PROJECTS) == []
        assert list(stream(f"SELECT 1 {OF_PROJECTS}", name="test", scope=NO_PROJECTS)) == []
        with pytest.raises(gate.ClickHouseUnavailable):
            select(f"SELECT 1 {OF_PROJECTS}", name="test", scope=PROJECTS)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text)[:24])
def test_hostile_parameters_come_back_as_they_went(text: str) -> None:
    (row,) = answer_of(
        "{text:String} AS text, {list:Array(String)} AS list, {map:Map(String, String)} AS map",
        parameters={"text": text, "list": [text, "b"], "map": {"k": text}},
    )

    assert row == {"text": text, "list": [text, "b"], "map": {"k": text}}


def test_other_parameters_keep_their_types() -> None:
    moment = datetime(2026, 3, 1, 9, tzinfo=timezone(timedelta(hours=9)))
    (row,) = answer_of(
        "{n:UInt64} AS n, {at:DateTime64(6)} AS at, {cost:Decimal(18, 10)} AS cost, {id:UUID} AS id, "
        "{flag:Bool} AS flag",
        parameters={"n": 2**64 - 1, "at": moment, "cost": Decimal("0.1"), "id": SCOPE.project_id, "flag": True},
    )

    assert row == {"n": 2**64 - 1, "at": START, "cost": Decimal("0.1"), "id": SCOPE.project_id, "flag": True}


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(gate.QueryError, match="parameter at has no time zone"):
        answer_of("{at:DateTime64(6)}", parameters={"at": datetime(2026, 3, 1)})  # noqa: DTZ001


def test_a_missing_parameter_is_an_error_of_the_query() -> None:
    with pytest.raises(gate.QueryError, match="nobody"):
        answer_of("{nobody:String}")


@pytest.mark.parametrize(
    "query",
    [
        f"INSERT INTO django_migrations (id, app, name) SELECT 1, 'a', 'b' FROM system.one {WHERE}",
        f"CREATE TABLE gate_made_this ENGINE = Memory AS SELECT 1 {WHERE}",
        f"CREATE VIEW gate_made_this AS SELECT 1 {WHERE}",
        f"ALTER TABLE django_migrations DELETE {WHERE}",
        f"SELECT 1 {WHERE} SETTINGS readonly = 0",
    ],
)
def test_a_query_cannot_write_nor_lift_the_ban(query: str) -> None:
    before = unscoped_admin_select("SELECT count() AS n FROM django_migrations", name="test")

    with pytest.raises(gate.QueryError):
        select(query, name="test", scope=SCOPE)

    assert unscoped_admin_select("SELECT count() AS n FROM django_migrations", name="test") == before
    assert not unscoped_admin_select(
        "SELECT name FROM system.tables WHERE database = currentDatabase() AND name = 'gate_made_this'", name="test"
    )


def test_a_slow_query_is_stopped_in_time() -> None:
    started = time.monotonic()

    with pytest.raises(gate.QueryTimeout, match="shorter time range"):
        answer_of("count()", "system.numbers", limits=Limits(seconds=1))

    assert time.monotonic() - started < 5


def test_too_many_rows_are_an_error_and_not_a_cut_answer() -> None:
    assert len(answer_of("number", "numbers(10)", limits=Limits(rows=10))) == 10
    with pytest.raises(gate.QueryTooLarge, match="shorter time range"):
        answer_of("number", "numbers(100000)", limits=Limits(rows=10))


def test_too_much_memory_is_an_error() -> None:
    with pytest.raises(gate.QueryTooLarge):
        answer_of("groupArray(number)", "numbers(100000000)", limits=Limits(memory_bytes=50_000_000))


def test_an_error_carries_name_code_and_query_id_and_is_counted() -> None:
    before = _count("portal_clickhouse_query_errors_total", query="test_typo", error="QueryError")

    with pytest.raises(gate.QueryError, match=r"test_typo failed.*no_such_column") as caught:
        answer_of("no_such_column", name="test_typo")

    assert (caught.value.query, caught.value.code) == ("test_typo", 47)
    assert caught.value.query_id.startswith("portal-")
    assert _count("portal_clickhouse_query_errors_total", query="test_typo", error="QueryError") == before + 1


def test_a_query_leaves_its_name_at_the_server_in_the_log_and_in_the_metrics() -> None:
    before = _count("portal_clickhouse_query_seconds_count", query="test_log")

    with structlog.testing.capture_logs() as lines:
        rows = answer_of("getSetting('log_comment') AS comment", name="test_log")

    (line,) = [line for line in lines if line["event"] == "clickhouse_query"]
    assert rows == [{"comment": "test_log"}]
    assert line["query_id"].startswith("portal-")
    assert (line["query"], line["rows"], line["log_level"]) == ("test_log", 1, "debug")
    assert line["ms"] > 0
    assert _count("portal_clickhouse_query_seconds_count", query="test_log") == before + 1


def test_a_slow_answer_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "SLOW_MS", 0)

    with structlog.testing.capture_logs() as lines:
        answer_of("1")

    assert [line["log_level"] for line in lines if line["event"] == "clickhouse_query"] == ["warning"]


def test_a_stream_yields_rows_before_the_query_has_ended() -> None:
    started = time.monotonic()
    rows = stream(f"SELECT number, repeat('x', 100) AS text FROM numbers(200000000) {WHERE}", name="test", scope=SCOPE)

    assert next(iter(rows)) == {"number": 0, "text": "x" * 100}
    rows.close()  # type: ignore[attr-defined]
    assert time.monotonic() - started < 5  # 20 GB take longer


def test_a_stream_is_checked_when_it_is_made_not_when_it_is_read() -> None:
    with pytest.raises(gate.QueryError, match="does not use"):
        stream("SELECT 1", name="test", scope=SCOPE)


def test_an_error_in_the_middle_of_a_stream_is_raised() -> None:
    rows = stream(
        f"SELECT throwIf(number = 3000000, 'boom') AS n FROM numbers(10000000) {WHERE}", name="test", scope=SCOPE
    )

    with pytest.raises(gate.QueryError, match="boom"):
        sum(row["n"] for row in rows)


def test_a_stream_has_its_own_row_limit() -> None:
    rows = stream(f"SELECT number FROM numbers(1000000) {WHERE}", name="test", scope=SCOPE, limits=Limits(rows=10))

    with pytest.raises(gate.QueryTooLarge):
        list(rows)


def test_times_are_utc_whatever_the_server_or_the_url_prefer(monkeypatch: pytest.MonkeyPatch) -> None:
    with at_address(monkeypatch, OPTIONS={"ch_session_timezone": "Asia/Seoul", "ch_max_threads": "1"}):
        (row,) = select(
            "SELECT timezone() AS zone, {start:DateTime64(9)} AS start, {project_id:String} AS id, "
            "toUnixTimestamp64Micro({end:DateTime64(9)}) AS stop, toStartOfDay({start:DateTime64(9)}) AS day, "
            "toDateTime('2026-03-01 00:00:00') AS text, getSetting('max_threads') AS threads",
            name="test",
            scope=SCOPE,
        )

    assert row["zone"] == "UTC"
    assert row["start"] == row["day"] == row["text"] == START
    assert row["start"].utcoffset() == timedelta(0)
    assert row["stop"] == int(SCOPE.end.timestamp()) * 1_000_000
    assert row["threads"] == 1
