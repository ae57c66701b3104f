"""Pytest plugin: files that take long come first, so that no worker is left alone with one at the end."""

from pathlib import Path

import pytest

# As measured; a name without .py stands for all files of a folder. After them come those that start processes.
LONGEST = (
    "shape/test_upgrade.py",
    "test_adoption.py",
    "api/test_schema.py",
    "clients/test_litellm_proxy.py",
    "test_chaos.py",
    "rollups/test_trace_summaries.py",
    "supervisor/test_up.py",
    "api/test_access_table.py",
    "test_fuzz.py",
    "decoding/test_numbers.py",
    "decoding/test_readers.py",
    "test_migrate.py",
    "rollups/test_rebuild.py",
    "pages/test_browser.py",
    "api/test_query_plans.py",
    "otlp/test_properties.py",
    "test_body_patience.py",
    "rollups/test_guardrails.py",
    "retention/test_retention_page.py",
    "test_demo.py",
    "pages/test_shell.py",
    "supervisor",
    "clients",
    "retention",
    "rollups",
)
TESTS = Path(__file__).parent


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    ranks = {path: _rank(path, path in slow) for path in {item.path for item in items}}
    items.sort(key=lambda item: ranks[item.path])  # stable: tests of a file stay in their order


def _rank(path: Path, is_slow: bool) -> int:
    names = path.relative_to(TESTS) if path.is_relative_to(TESTS) else path
    places = [number for number, name in enumerate(LONGEST) if names.is_relative_to(name)]
    return min(places, default=len(LONGEST) + (not is_slow))
