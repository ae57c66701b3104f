import os
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from clickhouse_backend import models
from django.apps.registry import Apps
from django.core.paginator import Paginator
from django.db import connection, connections
from django.db.models import Avg, Count, F, Max, Sum, Value
from django.db.models.functions import Concat, TruncHour
from django.db.utils import DataError, IntegrityError, NotSupportedError, OperationalError, ProgrammingError
from pytest_django import DjangoDbBlocker

HOSTILE = [
    "",
    "'",
    "\\",
    "\\'",
    "\\N",
    "'; DROP TABLE reading; --",
    "' OR 1=1 --",
    "/* */ -- #",
    "100% %s %(name)s %%",
    "{p0:String} {x:UInt8}",
    "$$heredoc$$ ${x}",
    "`\"'’‘“”",
    "tab\tnewline\ncarriage\rbell\a\b\f\v",
    "ends with a return\r",
    "nul\0byte",
    "한국어 와 日本語 🧵 \U0010ffff",
    "\u202eright-to-left",
    "?&=+#%27",
    "\x1b[31mred\x7f",
    " leading and trailing ",
    "x" * 40_000 + "'",
]


class Reading(models.ClickhouseModel):
    test = models.UUIDField(default=uuid4)
    name = models.StringField(default="", low_cardinality=True)
    text = models.StringField(default="")
    note = models.StringField(null=True)
    code = models.FixedStringField(max_bytes=4, default="abcd")
    count = models.UInt64Field(default=0)
    delta = models.Int32Field(default=0)
    score = models.Float64Field(default=0)
    cost = models.DecimalField(max_digits=18, decimal_places=10, null=True)
    ok = models.BoolField(default=False)
    kind = models.EnumField(choices=[(1, "internal"), (2, "client")], default=1)
    at = models.DateTime64Field(precision=6, default=datetime(2026, 1, 1, tzinfo=UTC))
    day = models.DateField(default=date(2026, 1, 1))
    address = models.IPv4Field(default="127.0.0.1")
    labels = models.MapField(models.StringField(low_cardinality=True), models.StringField(), default=dict)
    tags = models.ArrayField(models.StringField(), default=list)
    pair = models.TupleField([models.StringField(), models.Int32Field()], default=("", 0))

    class Meta:
        apps = Apps()
        app_label = "backend_tests"
        engine = models.MergeTree(order_by="id")

    def __str__(self) -> str:
        return self.name


@pytest.fixture(scope="module", autouse=True)
def table(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock():
        with connections["clickhouse"].schema_editor() as editor:
            editor.create_model(Reading)
        yield
        with connections["clickhouse"].schema_editor() as editor:
            editor.delete_model(Reading)


@pytest.fixture
def test(db: None) -> UUID:
    """What tells a test's rows from another's: ClickHouse rolls nothing back."""
    return uuid4()


pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])


def _readings(test: UUID) -> Any:
    return Reading.objects.filter(test=test)


def test_every_type_of_value_comes_back_as_it_went_in(test: UUID) -> None:
    values = {
        "name": "한국어",
        "text": "two\nlines",
        "note": None,
        "code": "wxyz",
        "count": 2**64 - 1,
        "delta": -(2**31),
        "score": 0.1 + 0.2,
        "cost": Decimal("0.0000000001"),
        "ok": True,
        "kind": 2,
        "at": datetime(2026, 5, 1, 23, 59, 59, 123456, tzinfo=UTC),
        "day": date(2026, 2, 28),
        "address": "10.1.2.3",
        "labels": {"gen_ai.system": "openai", "": "empty key"},
        "tags": ["a", "", "b'c"],
        "pair": ("left", -7),
    }
    Reading.objects.create(test=test, **values)

    row = _readings(test).get()

    assert {name: getattr(row, name) for name in values} == values
    assert row.at.utcoffset() == timedelta(0)
    assert isinstance(row.cost, Decimal)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text)[:24])
def test_hostile_text_is_a_value_everywhere_and_never_sql(test: UUID, text: str) -> None:
    Reading.objects.create(test=test, text=text, labels={"key": text}, tags=[text, "other"])
    Reading.objects.create(test=test, text="another", labels={"key": "another"}, tags=["another"])
    mine = _readings(test)

    assert [row.text for row in mine.filter(text=text)] == [text]
    assert mine.get(text__in=[text, "nobody"]).text == text
    assert mine.get(labels__key=text).labels == {"key": text}
    assert mine.get(tags__contains=[text]).tags == [text, "other"]
    assert mine.exclude(text=text).get().text == "another"
    if text:
        assert mine.filter(text__contains=text).get().text == text
        assert mine.filter(text__startswith=text).get().text == text
    assert mine.filter(text=text).annotate(copy=Value(text)).values_list("copy", flat=True).get() == text
    assert mine.filter(text=text).update(note=text) == 1
    assert mine.get(note=text).note == text
    assert Reading.objects.filter(test=test).count() == 2


def test_text_that_utf8_cannot_hold_is_refused_with_its_position(test: UUID) -> None:
    with pytest.raises(DataError, match="position 2"):
        _readings(test).filter(text="ab\ud800").count()


def test_bulk_create_stores_every_row_with_and_without_expressions(test: UUID) -> None:
    Reading.objects.bulk_create(Reading(test=test, name=f"n{n}", count=n) for n in range(2500))
    Reading.objects.create(test=test, name="computed", text=Concat(Value("it's "), Value("100%")))

    assert _readings(test).count() == 2501
    assert _readings(test).filter(count__lt=2500, name__startswith="n").aggregate(Sum("count")) == {
        "count__sum": sum(range(2500))
    }
    assert _readings(test).get(name="computed").text == "it's 100%"


def test_aggregates_groups_and_truncation(test: UUID) -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    Reading.objects.bulk_create(
        Reading(test=test, name="ab"[n % 2], count=n, cost=Decimal("0.1"), at=start + timedelta(minutes=30 * n))
        for n in range(10)
    )

    groups = _readings(test).values("name").annotate(n=Count("id"), most=Max("count"), total=Sum("cost"))
    hours = _readings(test).annotate(hour=TruncHour("at", tzinfo=UTC)).values("hour").annotate(n=Count("id"))

    assert list(groups.order_by("name")) == [
        {"name": "a", "n": 5, "most": 8, "total": Decimal("0.5")},
        {"name": "b", "n": 5, "most": 9, "total": Decimal("0.5")},
    ]
    assert list(hours.order_by("hour")) == [{"hour": start + timedelta(hours=h), "n": 2} for h in range(5)]
    assert _readings(test).filter(count__gt=100).aggregate(Avg("count"), Count("id"))["id__count"] == 0


def test_a_decimal_is_compared_exactly(test: UUID) -> None:
    Reading.objects.create(test=test, cost=Decimal("0.1000000001"))

    assert _readings(test).filter(cost=Decimal("0.1000000001")).count() == 1
    assert _readings(test).filter(cost=Decimal("0.1000000002")).count() == 0
    assert _readings(test).filter(cost__gt=Decimal("0.1")).count() == 1


def test_a_time_with_another_offset_means_the_same_moment(test: UUID) -> None:
    seoul = datetime.fromisoformat("2026-03-01T09:00:00.000001+09:00")
    Reading.objects.create(test=test, at=seoul)

    assert _readings(test).filter(at=datetime(2026, 3, 1, 0, 0, 0, 1, tzinfo=UTC)).count() == 1
    assert _readings(test).filter(at__gte=seoul + timedelta(microseconds=1)).count() == 0
    assert _readings(test).get().at == seoul


def test_maps_are_looked_up_by_key(test: UUID) -> None:
    Reading.objects.create(test=test, name="one", labels={"model": "gpt-4o", "gen_ai.usage": "7"})
    Reading.objects.create(test=test, name="two", labels={"model": "claude"})

    assert _readings(test).get(labels__has_key="gen_ai.usage").name == "one"
    assert _readings(test).get(labels__model="claude").name == "two"
    assert list(_readings(test).order_by("name").values_list("labels__model", flat=True)) == ["gpt-4o", "claude"]


def test_pages_neither_overlap_nor_miss_a_row(test: UUID) -> None:
    Reading.objects.bulk_create(Reading(test=test, count=n) for n in range(25))

    pages = Paginator(_readings(test).order_by("-count"), 10)

    assert [row.count for page in pages for row in page] == list(reversed(range(25)))
    assert pages.count == 25


def test_save_updates_the_row_and_delete_removes_it(test: UUID) -> None:
    row = Reading.objects.create(test=test, name="before", count=1)
    row.name = "after"
    row.save()

    assert _readings(test).get().name == "after"
    assert _readings(test).update(count=F("count") + 41) == 1
    assert _readings(test).get().count == 42
    deleted, _ = _readings(test).delete()
    assert deleted == 1
    assert not _readings(test).exists()


def test_settings_and_prewhere_of_the_backend_reach_the_server(test: UUID) -> None:
    Reading.objects.bulk_create(Reading(test=test, count=n) for n in range(5))

    mine = Reading.objects.prewhere(test=test)

    assert mine.settings(max_threads=1, log_comment="it's 100%").count() == 5
    with pytest.raises(OperationalError, match=r"(?i)limit for result"):
        list(mine.settings(max_result_rows=3, max_block_size=1))


def test_a_large_result_is_read_while_the_server_sends_it(test: UUID) -> None:
    with connections["clickhouse"].chunked_cursor() as cursor:
        cursor.execute("SELECT number, repeat('x', 1000) FROM numbers(%s)", [10**9])
        first = cursor.fetchmany(3)  # a terabyte would not fit anywhere
    assert [row[0] for row in first] == [0, 1, 2]

    Reading.objects.bulk_create(Reading(test=test, count=n) for n in range(3000))
    assert sum(row.count for row in _readings(test).iterator(chunk_size=100)) == sum(range(3000))


def test_an_error_in_the_middle_of_a_stream_is_raised_not_swallowed() -> None:
    def read() -> None:
        with connections["clickhouse"].chunked_cursor() as cursor:
            cursor.execute("SELECT throwIf(number = 3000000, 'boom') FROM numbers(10000000)")
            while cursor.fetchmany(10_000):
                pass

    with pytest.raises(OperationalError, match="boom"):
        read()


def test_threads_share_one_client_and_get_their_own_answers(test: UUID) -> None:
    Reading.objects.bulk_create(Reading(test=test, count=n) for n in range(16))
    answers: dict[int, list[int]] = {}
    clients = set()

    def work(number: int) -> None:
        for _ in range(10):
            answers.setdefault(number, []).append(_readings(test).get(count=number).count)
        clients.add(id(connections["clickhouse"].connection.client))
        connections.close_all()

    threads = [threading.Thread(target=work, args=[number]) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == {number: [number] * 10 for number in range(16)}
    assert len(clients) == 1


def test_a_forked_process_opens_its_own_connections(test: UUID) -> None:
    Reading.objects.create(test=test, count=7)
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:  # the child may neither return into pytest nor run its exit handlers
        try:
            with connections["clickhouse"].copy().cursor() as cursor:
                cursor.execute(f"SELECT count FROM {Reading._meta.db_table} WHERE test = %s", [test])
                os.write(writer, str(cursor.fetchone()[0]).encode())
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    os.close(writer)

    assert os.read(reader, 10) == b"7"
    assert _readings(test).get().count == 7


def test_a_closed_connection_is_opened_again(test: UUID) -> None:
    mine = connections["clickhouse"].copy()  # outside the test's own transaction
    with mine.cursor() as cursor:
        cursor.execute("SELECT 1")
    mine.close()
    mine.close_if_unusable_or_obsolete()

    with mine.cursor() as cursor:
        cursor.execute("SELECT count() FROM system.one")
        assert cursor.fetchone() == (1,)
    assert mine.is_usable()


def test_errors_are_djangos_and_name_their_cause(test: UUID) -> None:
    def run(sql: str) -> None:
        with connections["clickhouse"].cursor() as cursor:
            cursor.execute(sql)

    with pytest.raises(ProgrammingError, match=r"(?i)syntax error"):
        run("SELEC 1")
    with pytest.raises(ProgrammingError, match="no_such_table"):
        run("SELECT * FROM no_such_table")
    with pytest.raises(ProgrammingError, match="no_such_column"):
        run("SELECT no_such_column FROM system.one")
    with pytest.raises(DataError):
        run("SELECT toUInt8('x')")
    with pytest.raises(OperationalError, match=r"(?i)timeout"):
        run("SELECT count() FROM system.numbers SETTINGS max_execution_time = 1")
    with pytest.raises(OperationalError, match=r"(?i)memory limit"):
        run("SELECT groupArray(number) FROM numbers(100000000) SETTINGS max_memory_usage = 50000000")
    with pytest.raises(NotSupportedError):
        run("ALTER TABLE system.one ADD COLUMN x UInt8")
    with pytest.raises(DataError, match="delta"):
        Reading.objects.create(test=test, delta=2**31)
    assert not _readings(test).exists()


def test_a_violated_constraint_stores_nothing(test: UUID) -> None:
    table = Reading._meta.db_table
    with connections["clickhouse"].cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT small CHECK delta < 1000")
        try:
            with pytest.raises(IntegrityError, match="small"):
                Reading.objects.bulk_create([Reading(test=test, delta=1), Reading(test=test, delta=1000)])
        finally:
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT small")
    assert not _readings(test).exists()


def test_introspection_knows_tables_and_columns() -> None:
    introspection = connections["clickhouse"].introspection
    with connections["clickhouse"].cursor() as cursor:
        assert Reading._meta.db_table in introspection.table_names(cursor)
        columns = {
            column.name: column for column in introspection.get_table_description(cursor, "backend_tests_reading")
        }
    assert columns["note"].null_ok
    assert introspection.get_field_type(columns["labels"].type_code, columns["labels"]) == "MapField"


def test_postgresql_is_not_touched_by_clickhouse_models(test: UUID) -> None:
    Reading.objects.create(test=test)

    assert Reading._meta.db_table not in connection.introspection.table_names()
