"""Nothing is lost between the lanes: each test is in one of them, each change is tried by two and each night by all."""

import os
import shutil
import subprocess

import pytest

from .lanes import ALL, CI, EVERYDAY, LANES, LONG, NAMED_LONG, NAMED_NIGHTLY, NIGHTLY, TESTS, in_lane

ROOT = TESTS.parent
# What a `make` that runs the tests leaves to what it starts: its own variables, among them the lane.
OF_MAKE = {"MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "LANE", "ARGS", "WORKERS"}


def test_each_test_is_in_one_lane(request: pytest.FixtureRequest) -> None:
    everything = request.session.items
    everyday, long, nightly = lanes = [set(in_lane(everything, lane)) for lane in LANES]
    assert everyday | long | nightly == set(everything) == set(in_lane(everything, ALL))
    assert sum(map(len, lanes)) == len(set(everything))
    assert set(in_lane(everything, CI)) == everyday | long
    assert request.node in everyday
    marked = {item for item in everything if item.get_closest_marker("slow") or item.get_closest_marker("browser")}
    assert marked <= long | nightly


@pytest.mark.parametrize("name", NAMED_LONG)
def test_what_is_long_is_there(name: str) -> None:
    assert (TESTS / name).exists()


@pytest.mark.parametrize("name", NAMED_NIGHTLY)
def test_what_is_nightly_is_there(name: str) -> None:
    file, _, test = name.partition("::")
    assert (f"def {test.partition('[')[0]}(" if test else "def test_") in (TESTS / file).read_text()


@pytest.mark.skipif(not shutil.which("make"), reason="needs make")
@pytest.mark.parametrize(
    ("arguments", "lane"),
    [(["test"], EVERYDAY), (["test-long"], LONG), (["test", "LANE=ci"], CI), (["test", "LANE=all"], ALL)],
)
def test_make_runs_a_lane(arguments: list[str], lane: str) -> None:
    command = ["make", "--dry-run", "--always-make", *arguments, "ARGS=-x"]
    own = {name: value for name, value in os.environ.items() if name not in OF_MAKE}
    told = subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True, check=True).stdout
    [line] = [line for line in told.splitlines() if "-m pytest" in line]
    assert f"--lane {lane} -x" in line
    assert line.count("--lane") == 1


def test_continuous_integration_runs_two_lanes_for_a_change_and_all_at_night() -> None:
    commands = [line.strip() for line in (ROOT / ".ci/run").read_text().splitlines()]
    assert [line for line in commands if line.startswith("make test")] == ["make test LANE=ci || tests=$?"]
    assert "bash .ci/run" in (ROOT / ".github/workflows/ci.yml").read_text()
    nightly = (ROOT / ".github/workflows/nightly.yml").read_text()
    assert "schedule:" in nightly
    assert "make test LANE=all" in nightly
    assert LANES == (EVERYDAY, LONG, NIGHTLY)
