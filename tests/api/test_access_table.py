"""Who gets what at every address: access.txt is the table, and every address of the URLconf is in it."""

import itertools
from collections.abc import Iterator

import pytest
from django.urls import Resolver404, resolve

from projects import credentials
from tests.browser import browser

from .addresses import Line, lines, routes
from .world import ACTORS, World, make_world

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

REFUSALS = {400, 401, 403, 405}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def part_of(line: Line) -> str:
    """Lines are tested in parts, so that processes can share them."""
    first, second, *_ = [*line.address.strip("/").split("?")[0].split("/"), "", ""]
    return f"{first}/{second}" if first == "api" else first if first in PARTS else "pages"


PARTS = ("opsboard", "v4", "public", "auth")
BY_PART = {part: list(of_part) for part, of_part in itertools.groupby(sorted(lines(), key=part_of), key=part_of)}


@pytest.fixture
def world() -> Iterator[World]:
    credentials.forget()
    yield make_world()
    credentials.forget()


@pytest.mark.parametrize("part", BY_PART)
def test_everybody_gets_what_the_table_says(world: World, part: str) -> None:
    wrong = []
    for line in BY_PART[part]:
        address, body = line.filled(world.values)
        got = tuple(world.ask(actor, line.method, address, body).status_code for actor in ACTORS)
        if got != line.statuses:
            wrong.append(f"{line.method:6} {line.address} {' '.join(map(str, got))}  not {line.statuses}")

    assert not wrong, "\n" + "\n".join(wrong)


@pytest.mark.parametrize("part", [part for part in BY_PART if part != "pages"])
def test_no_other_method_does_anything(world: World, part: str) -> None:
    """Not even for the owner; strangers learn no more than without the method."""
    known = {(line.method, route_of(path_of(line, world))) for line in lines()}
    wrong = []
    for path in {path_of(line, world) for line in BY_PART[part]}:
        for method in METHODS:
            if (method, route_of(path)) in known:
                continue
            for actor in ("alice", "read", "nobody"):
                status = world.ask(actor, method, path).status_code
                if status not in REFUSALS:
                    wrong.append(f"{method} {path} as {actor}: {status}")

    assert not wrong, "\n" + "\n".join(wrong)


def test_every_address_is_in_the_table(world: World) -> None:
    known = {route_of(path_of(line, world)) for line in lines()}

    assert routes() - known == set(), "Add these to tests/api/access.txt: who may use them?"
    assert known - routes() == set()


def test_the_admin_is_for_staff(world: World) -> None:
    for actor in ACTORS:
        for path in ("/admin/", "/admin/projects/user/", "/admin/projects/apikey/", "/admin/traces/ingestreceipt/"):
            answer = world.ask(actor, "GET", path)
            assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/admin/login/"), (actor, path)
    root = browser()
    root.force_login(world.cast.root)
    assert root.get("/admin/projects/apikey/").status_code == 200


def route_of(path: str) -> str:
    """API addresses count with and without the slash at their end (projects/api/middleware.py)."""
    try:
        return resolve(path).route
    except Resolver404:
        return resolve(path[:-1] if path.endswith("/") else f"{path}/").route


def path_of(line: Line, world: World) -> str:
    return line.filled(world.values)[0].partition("?")[0]
