"""What the whole suite needs; fixtures of one subject live in its own folder."""

import os
import shutil
from collections import Counter
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import override_settings
from django.utils import translation

from . import template

# Fixtures: otlp and tenant, outage, fresh, own_store.
pytest_plugins = [
    "tests.receiver",
    "tests.outage",
    "tests.fresh",
    "tests.own_store",
    "tests.flushing",
    "tests.lanes",
    "tests.workers",
    "tests.order",
]

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def pytest_configure(config: pytest.Config) -> None:
    """Pages are tested with compiled translations, as they are served."""
    if os.environ.get("PYTEST_XDIST_WORKER") or config.option.collectonly:
        return
    from agentops_portal import preparation

    preparation.make_folders()
    preparation.compile_translations()
    settings.STATIC_ROOT.mkdir(exist_ok=True)  # WhiteNoise warns when it is missing


@pytest.fixture(autouse=True)
def in_english() -> None:
    """A request leaves its language behind in the thread that the tests run in, too."""
    translation.activate("en")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if any(map(shutil.which, BROWSERS)):
        return
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason=f"no browser: none of {', '.join(BROWSERS)} is installed"))


def pytest_unconfigure() -> None:
    """A pool that outlives the tests goes on asking for a server that is about to stop."""
    from django.db import connections

    for pool in list(getattr(connections["default"], "_connection_pools", {}).values()):
        pool.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """In one line what this machine cannot test, and why."""
    reports = terminalreporter.getreports("skipped")
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in reports if report.longrepr)
    told = "; ".join(f"{reason} ({count})" for reason, count in reasons.most_common())
    terminalreporter.write_line(f"Not tested here: {told}" if told else "Nothing was skipped.")


@pytest.fixture(autouse=True)
def everything_is_shown(request: pytest.FixtureRequest) -> Iterator[None]:
    """traces/store/guard.py keeps a page alive when a span of it cannot be shown: in a test that is a fault."""
    from traces.store.guard import UNSHOWN

    def count() -> float:
        return sum(sample.value for metric in UNSHOWN.collect() for sample in metric.samples)

    before = count()
    yield
    if request.node.get_closest_marker("unshown") is None:
        assert count() == before, "something could not be shown: see the log"


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """The test databases are copies, where there is something to copy."""
    from django.db import connections

    if os.environ.get(template.USED):
        for alias in ("default", "clickhouse"):
            connections[alias].settings_dict["TEST"]["TEMPLATE"] = template.NAME


@pytest.fixture(scope="session", autouse=True)
def unhashed_static_files() -> Iterator[None]:
    """Pages name static files as they are: the hashed names need `collectstatic`, which takes seconds."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    with override_settings(STORAGES={**settings.STORAGES, "staticfiles": plain}):
        yield


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Nearly every test makes people; what hashing costs is what protects passwords. Argon2 stays for what it made."""
    quick = "django.contrib.auth.hashers.MD5PasswordHasher"
    with override_settings(PASSWORD_HASHERS=[quick, *settings.PASSWORD_HASHERS]):
        yield
