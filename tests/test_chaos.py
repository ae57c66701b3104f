import pytest

from benchmarks import chaos

pytestmark = pytest.mark.slow


def test_no_acknowledged_span_is_lost_or_doubled_when_processes_are_killed_under_load() -> None:
    run, verdict, log = chaos.run(chaos.SHORT)
    assert verdict.problems == [], f"{verdict}\n{run.kills}\n{log[-6000:]}"
    assert {kill.target for kill in run.kills} == set(chaos.TARGETS)
    assert log.count("is back after") == len(run.kills), log[-6000:]
    assert verdict.acknowledged_spans == verdict.stored_acknowledged_spans > 1000
    # A run in which nothing failed would prove nothing.
    assert verdict.repeated_attempts > 0
    assert run.sent.outcomes["503"] + run.sent.outcomes["ConnectionRefusedError"] > 0
