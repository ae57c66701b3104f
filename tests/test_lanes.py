"""Nothing is lost between the lanes: each test is in one of them, and continuous integration runs both."""

import os
import shutil
import subprocess

import pytest

from .lanes import ALL, EVERYDAY, LANES, LONG, NAMED_LONG, TESTS, in_lane

ROOT = TESTS.parent
# What a `make` that runs the tests leaves to what it starts: its own variables, among them the lane.
OF_MAKE = {"MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "LANE", "ARGS", "WORKERS"}


def test_each_test_is_in_one_lane(request: pytest.FixtureRequest) -> None:
    everything = request.session.items
    everyday, long = (set(in_lane(everything, lane)) for lane in (EVERYDAY, LONG))
    assert everyday | long == set(everything) == set(in_lane(everything, ALL))
    assert not everyday & long
    assert request.node in everyday
    assert {
        item for item in everything if item.get_closest_marker("slow") or item.get_closest_marker("browser")
    } <= long


@pytest.mark.parametrize("name", NAMED_LONG)
def test_what_is_long_is_there(name: str) -> None:
    assert (TESTS / name).exists()


@pytest.mark.skipif(not shutil.which("make"), reason="needs make")
@pytest.mark.parametrize(
    ("arguments", "lane"), [(["test"], EVERYDAY), (["test-long"], LONG), (["test", "LANE=all"], ALL)]
)
def test_make_runs_a_lane(arguments: list[str], lane: str) -> None:
    command = ["make", "--dry-run", "--always-make", *arguments, "ARGS=-x"]
    own = {name: value for name, value in os.environ.items() if name not in OF_MAKE}
    told = subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True, check=True).stdout
    [line] = [line for line in told.splitlines() if "-m pytest" in line]
    assert f"--lane {lane} -x" in line
    assert line.count("--lane") == 1


def test_continuous_integration_runs_all_lanes() -> None:
    commands = [line.strip() for line in (ROOT / ".ci/run").read_text().splitlines()]
    assert [line for line in commands if line.startswith("make test")] == ["make test LANE=all || tests=$?"]
    assert "bash .ci/run" in (ROOT / ".github/workflows/ci.yml").read_text()
    assert LANES == (EVERYDAY, LONG, ALL)
