"""Pytest plugin: the two lanes of the suite, and `--lane`, which takes one of them.

Every test is in one of two lanes. `everyday` is what one runs all the time: what is not named here. `long` has what
starts whole processes or browsers (markers `slow` and `browser`), upgrades stores of earlier code, asks every address
as everybody, makes its examples itself, or goes through every recorded body in every way it may arrive. Continuous
integration runs both, in one go. Whoever names paths gets what they name.
"""

from collections.abc import Iterable
from pathlib import Path

import pytest

EVERYDAY, LONG, ALL = LANES = ("everyday", "long", "all")
TESTS = Path(__file__).parent

# A name without .py stands for all files of a folder.
NAMED_LONG = (
    "api/mcp",
    "api/monitoring/test_live.py",
    "api/test_access_table.py",
    "api/test_query_plans.py",
    "api/test_schema.py",
    "api/test_token_fields.py",
    "api/v4/test_schema.py",
    "api/auth/test_dashboard_settings.py",
    "clickhouse_http",
    "clients",
    "decoding/test_numbers.py",
    "decoding/test_readers.py",
    "dialects/test_sync.py",
    "otlp/test_once.py",
    "otlp/test_pending.py",
    "otlp/test_properties.py",
    "pages/test_browser.py",
    "prices/test_discounts.py",
    "retention",
    "rollups",
    "shape/test_upgrade.py",
    "supervisor",
    "test_adoption.py",
    "test_demo.py",
    "test_embedded_postgres.py",
    "test_embedded_postgres_users.py",
    "test_migrate.py",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    text = "the tests of one lane, unless paths are named (tests/lanes.py)"
    parser.addoption("--lane", choices=LANES, default=ALL, help=text)


def pytest_configure(config: pytest.Config) -> None:
    if config.args_source is config.ArgsSource.ARGS and not hasattr(config, "workerinput"):
        config.option.lane = ALL  # workers, for whom everything is named, inherit it


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    kept = in_lane(items, config.option.lane)
    if len(kept) < len(items):
        there = set(kept)
        config.hook.pytest_deselected(items=[item for item in items if item not in there])
        items[:] = kept


def in_lane(items: Iterable[pytest.Item], lane: str) -> list[pytest.Item]:
    return [item for item in items if lane in (ALL, lane_of(item))]


def lane_of(item: pytest.Item) -> str:
    named = item.path.relative_to(TESTS) if item.path.is_relative_to(TESTS) else item.path
    is_long = any(map(item.get_closest_marker, ("slow", "browser"))) or any(map(named.is_relative_to, NAMED_LONG))
    return LONG if is_long else EVERYDAY
