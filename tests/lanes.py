"""Pytest plugin: the three lanes of the suite, and `--lane`, which takes one of them, or several.

Every test is in one of three lanes. `everyday` is what one runs all the time: what is not named here. `long` has what
starts whole processes or browsers (markers `slow` and `browser`), upgrades stores of earlier code, asks every address
as everybody, makes its examples itself, or goes through every recorded body in every way it may arrive. `nightly` has
of these what takes minutes and is about code that seldom changes. `ci`, the first two, is what continuous integration
runs for each change; `all` is run every night and before a release.
"""

from collections.abc import Iterable
from pathlib import Path

import pytest

EVERYDAY, LONG, NIGHTLY = LANES = ("everyday", "long", "nightly")
CI, ALL = "ci", "all"
TAKEN = {**{lane: {lane} for lane in LANES}, CI: {EVERYDAY, LONG}, ALL: set(LANES)}
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
# The beginnings of tests' names.
NAMED_NIGHTLY = (
    "api/test_schema.py::test_every_answer_is_as_the_schema_says[ann]",
    "api/test_schema.py::test_every_answer_is_as_the_schema_says[bo]",
    "api/test_schema.py::test_every_answer_is_as_the_schema_says[bob]",
    "api/test_schema.py::test_every_answer_is_as_the_schema_says[charlie]",
    "api/test_schema.py::test_every_answer_is_as_the_schema_says[ingest]",
    "clients/test_litellm_proxy.py::test_one_header_variable_with_a_plain_blank_is_enough",
    "decoding/test_numbers.py",
    "decoding/test_readers.py::test_half_an_emoji_anywhere",
    "decoding/test_readers.py::test_keys_and_positions_without_end",
    "decoding/test_readers.py::test_texts_that_freeze_and_nest",
    "decoding/test_readers.py::test_very_many_attributes_and_messages",
    "otlp/test_once.py::test_any_cut_and_repetition_of_a_body_counts_as_the_body_sent_once",
    "rollups/test_arrangements.py",
    "shape/test_upgrade.py::test_interrupted_at_any_step_it_goes_on_where_it_stopped",
    "shape/test_upgrade.py::test_tags_of_old_and_new_traces_are_learned",
    "shape/test_upgrade.py::test_the_inbox_learns_its_spans",
    "test_adoption.py::test_a_project_that_only_a_column_names_is_kept",
    "test_adoption.py::test_an_interrupted_copy_goes_on_where_it_stopped",
    "test_adoption.py::test_words_of_the_first_exporters_are_read",
    "test_chaos.py",
    "test_fuzz.py::test_everybody_reads_what_nobody_should_send",
    "test_migrate.py::test_plain_migrate_creates_both_stores_and_can_go_back_and_forward_again",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    text = "the tests of one lane or several, unless paths are named (tests/lanes.py)"
    parser.addoption("--lane", choices=TAKEN, default=ALL, help=text)


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
    return [item for item in items if lane_of(item) in TAKEN[lane]]


def lane_of(item: pytest.Item) -> str:
    named = item.path.relative_to(TESTS) if item.path.is_relative_to(TESTS) else item.path
    if f"{named.as_posix()}::{item.name}".startswith(NAMED_NIGHTLY):
        return NIGHTLY
    is_long = any(map(item.get_closest_marker, ("slow", "browser"))) or any(map(named.is_relative_to, NAMED_LONG))
    return LONG if is_long else EVERYDAY
