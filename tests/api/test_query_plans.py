"""What each address of the API that reads asks of the stores, in a store with months of spans and a larger neighbour.

Spans: no query reads rows outside of its own project and time range, but for what its granules hold besides, and no
range is wider than the one that was asked for. Both stores: a bounded number of queries, however many rows and projects
there are.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agentops_portal.clickhouse.client import get_client
from projects import credentials
from projects.models import Role, User
from projects.services import add_member, create_api_key, create_project
from traces.mcp.server import TOOLS
from traces.store.queries import metric_usage

from .addresses import Line, lines
from .asked import Asked
from .world import ACTORS, END, START, World, apart, make_world

pytestmark = [pytest.mark.django_db(databases=["default", "clickhouse"]), pytest.mark.usefixtures("own_store")]

PAGES = tuple(f"/projects/{{project}}/{name}/" for name in ("traces", "sessions", "users"))
API = ("/api/", "/v4/", "/public/", "/opsboard/", *PAGES)
MONTHS = ("2026-06", "2026-07", "2026-08")  # besides November, of which START to END is one day
SPANS_A_MONTH = 40_000
SPANS_OF_NEIGHBOUR = 100_000
MAX_POSTGRES_QUERIES = 12
MAX_CLICKHOUSE_QUERIES = 5  # of the page of an agent; most take one to three
# Reads by an id alone, which an index of ids finds: their range is all time.
# What a series had come to before the range.
BEFORE = {"metric_usage": metric_usage.LOOK_BACK}
BY_ID = {"trace_spans.span_by_id"}


def reading_lines() -> Iterator[tuple[Line, str]]:
    """The lines of the API that only read, and who is answered: the owner, else a key."""
    for line in lines():
        if line.method == "GET" and line.address.startswith(API):
            answered = dict(zip(ACTORS, line.statuses, strict=True))
            actor = next((name for name in ("alice", "read") if answered[name] == 200), None)
            if actor:
                yield line, actor


@pytest.fixture
def world() -> Iterator[World]:
    credentials.forget()
    world = make_world(apart)  # which is filled with more
    yield world
    credentials.forget()


def _make_crowd(world: World) -> None:
    """Ten of whatever an answer may list."""
    for number in range(10):
        member = User.objects.create(email=f"member-{number}@example.com")
        add_member(organization=world.cast.organization, user=member, role=Role.DEVELOPER)
        # In alphabetical order before the one that has the traces: what looks project by project, is noticed.
        create_project(organization=world.cast.organization, name=f"A project {number}")
        create_api_key(project=world.cast.project, name=f"key {number}")


def _fill(own: UUID, neighbour: UUID) -> None:
    """Traces of ten spans in four months for one project, and as many on the asked day for the neighbour."""
    insert = """
        INSERT INTO otel_traces (Timestamp, TraceId, SpanId, ParentSpanId, SpanName, SpanKind, ServiceName,
            ResourceAttributes, SpanAttributes, Duration, StatusCode)
        SELECT {first:DateTime64(9)} + toIntervalMillisecond(intDiv(number * {span_ms:UInt64}, {spans:UInt64})),
            lower(hex(MD5(concat({project:String}, {first:String}, toString(intDiv(number, {size:UInt64})))))),
            lower(substring(hex(MD5(concat({project:String}, {first:String}, toString(number)))), 1, 16)),
            if(number % {size:UInt64} = 0, '', 'parent'), 'work', 'Internal', 'crowd',
            map('agentops.project.id', {project:String}),
            map('gen_ai.operation.name', 'chat', 'gen_ai.request.model', 'gpt-4o'), 1000000, 'Ok'
        FROM numbers({spans:UInt64})
    """
    month, day = 28 * 86_400_000, 86_400_000
    fillings = [(own, f"{name}-01 00:00:00", month, SPANS_A_MONTH, 10) for name in (*MONTHS, "2026-11")]
    fillings.append((neighbour, "2026-11-23 00:00:00", day, SPANS_OF_NEIGHBOUR, 1))
    for project, first, span_ms, spans, size in fillings:
        values = {"project": str(project), "first": first, "span_ms": span_ms, "spans": spans, "size": size}
        get_client().command(insert, parameters=values)
    get_client().command("OPTIMIZE TABLE otel_traces PARTITION 202611 FINAL")  # both in one part


def test_no_address_reads_spans_outside_its_project_and_range(world: World, asked: list[Asked]) -> None:
    _fill(world.cast.project.pk, world.cast.foreign_project.pk)
    _check_the_measure(world.cast.project.pk)
    problems, names, seen = [], set(), set()
    longest = datetime.fromisoformat(END) - datetime.fromisoformat(START) + timedelta(hours=1)
    for place, read in readings(world):
        asked.clear()
        read()
        for each in asked:
            names.add(each.name)
            question = (each.query, str(sorted(each.parameters.items())))
            if question in seen:  # two addresses ask the same
                continue
            seen.add(question)
            if each.projects != {str(world.cast.project.pk)}:
                problems.append(f"{place}: {each.name} is not of the project")
            if each.reads_spans:
                problems += [f"{place}: {problem}" for problem in _problems(each, longest)]
            elif each.rows_read() >= SPANS_OF_NEIGHBOUR:
                problems.append(f"{place}: {each.name} reads what the neighbour left in a roll-up")

    assert not problems, "\n" + "\n".join(sorted(set(problems)))
    assert len(names) > 20


def readings(world: World) -> Iterator[tuple[str, Callable[[], object]]]:
    """What reads, by name: every address, and every tool of the MCP endpoint."""
    for line, actor in reading_lines():
        address, body = line.filled(world.values)
        yield str(line), partial(_read, world, actor, address, body)
    day = {"start": START, "end": END}
    ids = {"trace_id": world.values["trace"], "span_id": world.values["span"]}
    arguments = {"get_trace": {"trace_id": ids["trace_id"]}, "get_span": ids, "usage_summary": day | {"step": "hour"}}
    for name, tool in TOOLS.items():
        checked = tool.checked(arguments.get(name, day))
        yield name, partial(tool.run, world.cast.project.pk, checked)


def _read(world: World, actor: str, address: str, body: object) -> None:
    assert world.ask(actor, "GET", address, body).status_code == 200, address


def _check_the_measure(project_id: UUID) -> None:
    """A query that forgets the range, or the project, is noticed."""
    scope = {"project_id": str(project_id), "start": START[:-1], "end": END[:-1]}
    for condition in ("project_id = {project_id:String}", "Timestamp >= {start:DateTime64(9)}", "SpanName = 'work'"):
        query = f"SELECT sum(cityHash64(SpanName)) FROM otel_traces WHERE {condition}"
        scan = Asked("test.scan", query, scope)
        assert scan.rows_read() > scan.rows_in_scope(), condition


def _problems(each: Asked, longest: timedelta) -> Iterator[str]:
    if each.length > longest + BEFORE.get(each.name, timedelta()) and each.name not in BY_ID:
        yield f"{each.name} asks for {each.length}"
    read, allowed = each.rows_read(), each.rows_in_scope()
    if read > allowed:
        yield f"{each.name} reads {read} rows where {allowed} may be"


def test_no_address_takes_many_queries(world: World, asked: list[Asked]) -> None:
    _make_crowd(world)
    problems = []
    for line, actor in reading_lines():
        address, body = line.filled(world.values)
        asked.clear()
        with CaptureQueriesContext(connection) as queries:
            world.ask(actor, "GET", address, body)
        if len(queries) > MAX_POSTGRES_QUERIES:
            problems.append(f"{line}: {len(queries)} queries of PostgreSQL")
        if len(asked) > MAX_CLICKHOUSE_QUERIES:
            problems.append(f"{line}: {len(asked)} queries of ClickHouse: {', '.join(each.name for each in asked)}")

    assert not problems, "\n" + "\n".join(problems)
