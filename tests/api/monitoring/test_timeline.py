import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.conftest import Get
from tests.cast import Cast
from tests.kept import give_recorded
from tests.pages.spans import Spanlet, span_id, store_trace

from .stored import address

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

START = 1_795_422_415_123_456_789  # 2026-11-23T08:26:55.123456789Z
START_MS = 1_795_422_415_123.456


def timeline(get: Get, cast: Cast, *spanlets: Spanlet) -> Any:
    return timeline_of(get, store_trace(cast.project.pk, spanlets, start_ns=START))


def timeline_of(get: Get, trace: str) -> Any:
    answer = get(address(f"timeline/{trace}"), person="bob")
    assert answer.status_code == 200, answer.content
    return answer.json()


def rows(nodes: list[Any]) -> Iterator[Any]:
    waiting = list(reversed(nodes))
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(node["children"]))


def test_a_tree_with_times_in_milliseconds(cast: Cast, get: Get) -> None:
    found = timeline(
        get,
        cast,
        Spanlet("root", 1, end=10.5, attributes={"key": "value"}),
        Spanlet("child", 2, 1, 0.25, 20.125, status=2),
        Spanlet("grandchild", 3, 2, 1, 2),
    )

    [root] = found["spans"]
    [child] = root["children"]
    [grandchild] = child["children"]
    assert {name: value for name, value in root.items() if name != "children"} == {
        "span_id": span_id(1),
        "parent_span_id": "",
        "span_name": "root",
        "span_type": "other",
        "service_name": "tests",
        "start_time": START_MS,
        "end_time": START_MS + 10.5,
        "duration": 10.5,
        "status": "Unset",
        "attributes": {"key": "value"},
        "depth": 0,
        "is_critical_path": True,
        "critical_time": 0.25,
    }
    assert (child["status"], child["depth"], child["parent_span_id"]) == ("Error", 1, span_id(1))
    assert (grandchild["depth"], grandchild["duration"], grandchild["children"]) == (2, 1, [])
    assert (found["start_time"], found["end_time"]) == (START_MS, START_MS + 20.125)
    assert found["total_duration"] == 20.125


def test_the_critical_path_of_a_recorded_request_leads_through_its_model(cast: Cast, get: Get) -> None:
    give_recorded(cast.project, "litellm-1.106.2-mixed")

    found = timeline_of(get, "95c31d28b21739cb93431e8f9e5df0a6")

    nodes = {node["span_id"]: node for node in rows(found["spans"])}
    path = [nodes[each] for each in found["critical_path"]]
    assert [node["span_name"] for node in path][:4] == [
        "POST /v1/chat/completions",
        "fastapi.dependencies",
        "Received Proxy Server Request",
        "auth",
    ]
    assert "raw_gen_ai_request" in [node["span_name"] for node in path]
    assert [node for node in nodes.values() if node["is_critical_path"]] == sorted(
        path, key=lambda node: list(nodes).index(node["span_id"])
    )
    assert sum(node["critical_time"] for node in path) == pytest.approx(found["total_duration"])
    assert found["total_duration"] == 598.158721


def test_the_path_is_that_of_the_longest_work_and_not_of_the_deepest_chain(cast: Cast, get: Get) -> None:
    chain = [Spanlet(f"deep {number}", number, number - 1, 0, 4) for number in range(2, 6)]

    found = timeline(get, cast, Spanlet("root", 1), *chain, Spanlet("long", 9, 1, 0, 10))

    assert found["critical_path"] == [span_id(1), span_id(9)]


def test_orphans_and_circles_stand_in_the_tree_once(cast: Cast, get: Get) -> None:
    found = timeline(
        get,
        cast,
        Spanlet("root", 1),
        Spanlet("orphan", 2, 99, 1, 5),
        Spanlet("of orphan", 3, 2, 2, 3),
        Spanlet("chicken", 4, 5, 6, 9),
        Spanlet("egg", 5, 4, 7, 8),
        Spanlet("own parent", 6, 6, 8, 9),
    )

    assert [(node["span_name"], node["depth"]) for node in rows(found["spans"])] == [
        ("root", 0),
        ("orphan", 0),
        ("of orphan", 1),
        ("own parent", 0),
        ("chicken", 0),
        ("egg", 1),
    ]


def test_a_trace_that_is_deeper_than_json_can_be_nested(cast: Cast, get: Get) -> None:
    depth = 1_500
    spanlets = [Spanlet(f"level {number}", number, number - 1, 0, 5_000 - number) for number in range(1, depth + 1)]

    found = timeline(get, cast, *spanlets)

    nodes = list(rows(found["spans"]))
    assert [node["span_name"] for node in nodes] == [each.name for each in spanlets]
    assert [node["depth"] for node in nodes] == list(range(depth))
    assert json.dumps(found)


def test_ends_before_starts_and_equal_times_are_no_trouble(cast: Cast, get: Get) -> None:
    found = timeline(get, cast, Spanlet("root", 1, end=0), Spanlet("child", 2, 1, 0, -5))

    assert found["total_duration"] == 0
    assert found["critical_path"] == [span_id(1)]
