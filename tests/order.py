"""Pytest plugin: files that take long come first, so that no worker is left alone with one at the end, and files that
share what is dear to make are tested by one worker, which makes it once.
"""

from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

# As measured; a name without .py stands for all files of a folder. After them come those that start processes.
LONGEST = (
    "clients/test_litellm_proxy.py",
    "rollups/test_trace_summaries.py",
    "clickhouse_http",
    "api/test_schema.py",
    "shape/test_upgrade.py",
    "test_adoption.py",
    "test_chaos.py",
    "supervisor/test_surroundings.py",
    "supervisor/test_up.py",
    "api/test_access_table.py",
    "test_fuzz.py",
    "decoding/test_numbers.py",
    "decoding/test_readers.py",
    "test_migrate.py",
    "rollups/test_arrangements.py",
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
# Processes that are started for a session; recorded bodies, each stored in several requests (tests/kept.py).
TOGETHER = (
    ("clients",),
    ("clickhouse_http",),
    ("api/mcp",),
    ("rollups/test_trace_summaries.py", "rollups/test_usage.py", "rollups/test_guardrails.py"),
)
TESTS = Path(__file__).parent


class TogetherScheduling(LoadFileScheduling):
    """`--dist loadfile`, but that some files count as one."""

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid.partition("::")[0])


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    return TogetherScheduling(config, log) if config.getoption("dist") == "loadfile" else None


def scope_of(file: str) -> str:
    """What is tested by one worker, of a path below the project's folder."""
    path = Path(file)
    for names in TOGETHER:
        if any(path.is_relative_to(f"{TESTS.name}/{name}") for name in names):
            return " ".join(names)
    return file


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    ranks = {path: _rank(path, path in slow) for path in {item.path for item in items}}
    items.sort(key=lambda item: ranks[item.path])  # stable: tests of a file stay in their order


def _rank(path: Path, is_slow: bool) -> int:
    names = path.relative_to(TESTS) if path.is_relative_to(TESTS) else path
    places = [number for number, name in enumerate(LONGEST) if names.is_relative_to(name)]
    return min(places, default=len(LONGEST) + (not is_slow))
