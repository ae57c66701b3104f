"""What half an hour opens and ends, minute by minute, and that the simulation says the same."""

from datetime import datetime
from decimal import Decimal

import pytest

from guardrails.incidents.models import Incident
from guardrails.policies.evaluation import MOST_LATE, evaluate_due
from guardrails.policies.models import Policy, PolicyClock
from guardrails.policies.simulation import simulate
from tests.cast import Cast

from .world import at, policy, start_clock

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])
D = Decimal
Told = tuple[str, str, str, int, Decimal, int | None]


def told(incident: Incident) -> Told:
    """Of which policy and subject, how grave, the minute it opened, its worst value, the minute it ended."""
    ended = _minute(incident.resolved_at) if incident.resolved_at else None
    return (
        incident.policy.name,
        incident.subject,
        incident.severity,
        _minute(incident.opened_at),
        incident.worst.normalize(),
        ended,
    )


def _minute(moment: datetime) -> int:
    return int((moment - at(0)).total_seconds()) // 60


def make_all(cast: Cast) -> list[Policy]:
    return [
        policy(cast, "error_rate", threshold=D("0.5"), resolve_at=D("0.2"), min_volume=5, severity="critical"),
        policy(cast, "coverage", window="15m", threshold=D("0.5"), min_volume=5),
        policy(cast, "guardrail_silent", cool_down_minutes=15),
        policy(cast, "guardrail_failures", threshold=D("0.5"), severity="info"),
        policy(cast, "block_rate", window="15m", threshold=D("0.5")),
        policy(cast, "request_rate", threshold=5, cool_down_minutes=0, of_organization=True),
        policy(cast, "token_rate", threshold=600),
        policy(cast, "no_data"),
        policy(cast, "cost_budget", window="hour", threshold=14, warn_at=5, severity="critical"),
        policy(cast, "cost_budget", name="by model", window="hour", threshold=7, dimension="model"),
        policy(cast, "cost_budget", name="by user", window="hour", threshold=7, dimension="user"),
    ]


EXPECTED: set[Told] = {
    # Three of five failed in the minutes 8 to 12, five of 10 to 14; one of 14 to 18 is 0.2.
    ("error_rate", "", "critical", 13, D(1), 19),
    # Of 7 to 21 ten called a model, and a guardrail saw 7, 8, 9 and 20; from then on fewer: 20 and 25 of 15 to 29.
    ("coverage", "", "warning", 22, D("0.1"), None),
    # pii ran in none of 11 to 15, when 15 called a model. It ran at 20; at 26 the cool-down lasts.
    ("guardrail_silent", "pii", "warning", 16, D(0), 21),
    # toxic ran at 25, and in none of 26 to 30.
    ("guardrail_silent", "toxic", "warning", 31, D(0), None),
    # Of 16 to 20 the one check; at 26 toxic answered.
    ("guardrail_failures", "", "info", 21, D(1), 26),
    # 25 of the two that were looked at in 11 to 25.
    ("block_rate", "", "warning", 26, D("0.5"), None),
    ("request_rate", "", "warning", 5, D(5), 31),
    ("token_rate", "", "warning", 5, D(600), 11),
    ("token_rate", "", "warning", 26, D(600), 31),
    ("no_data", "", "warning", 35, D(0), None),
    # Rows of usage are of quarters of an hour: 10 $ in the first, 17.50 $ with the second.
    ("cost_budget", "", "critical", 1, D("17.5"), None),
    ("by model", "gpt-4o", "warning", 1, D(10), None),
    ("by model", "claude-3", "warning", 16, D("7.5"), None),
    # Traces count from the moment at which they start.
    ("by user", "u1", "warning", 7, D(10), None),
    ("by user", "u2", "warning", 29, D("7.5"), None),
}


# In which something changes, and those before, in which it does not yet.
MINUTES = (1, 4, 5, 6, 7, 11, 12, 13, 15, 16, 18, 19, 20, 21, 22, 25, 26, 28, 29, 30, 31, 34)


def test_what_the_minutes_open_and_end(cast: Cast) -> None:
    policies = make_all(cast)
    for minute in MINUTES:
        start_clock(minute - 1)
        assert evaluate_due(at(minute)) == 1
    assert evaluate_due(at(35)) == 1
    assert evaluate_due(at(35)) == 0

    of_project = Incident.objects.filter(project=cast.project).select_related("policy")
    assert {told(each) for each in of_project} == EXPECTED
    budget = of_project.get(policy__name="cost_budget")
    assert [(each.kind, _minute(each.at), each.value, each.threshold) for each in budget.events.all()] == [
        ("opened", 1, 10, 5),
        ("escalated", 16, D("17.5"), 14),
    ]
    check_simulation(cast, policies)
    start_clock(60)
    evaluate_due(at(61))
    assert not of_project.filter(policy__kind="cost_budget", resolved_at=None).exists()  # a new hour


def check_simulation(cast: Cast, policies: list[Policy]) -> None:
    """It decides as the evaluation did; of costs at the end of each quarter, for they are kept so."""
    for each in policies:
        if each.kind != "cost_budget" and each.kind != "no_data":
            simulated = simulate(each, cast.project, 1, at(35))
            found = {
                (each.name, one.subject, one.severity, _minute(one.opened_at), one.ended_at and _minute(one.ended_at))
                for one in simulated.openings
            }
            assert found == {(*row[:4], row[5]) for row in EXPECTED if row[0] == each.name}
    of_users = simulate(policies[-1], cast.project, 1, at(40)).openings
    found_users = [(one.subject, _minute(one.opened_at), one.value) for one in of_users]
    assert found_users == [
        ("u1", 15, 10),
        ("u2", 30, D("7.5")),
    ]


def test_what_is_too_old_is_left_out_and_a_new_policy_has_no_past(cast: Cast) -> None:
    policy(cast, "no_data")
    Policy.objects.update(created_at=at(100))
    start_clock(-600)  # from here on all are made up for in their order

    assert evaluate_due(at(100)) == MOST_LATE
    assert not Incident.objects.exists()
    assert evaluate_due(at(101)) == 1
    assert Incident.objects.get().opened_at == at(101)
    assert PolicyClock.objects.get().evaluated_until == at(101)


def test_without_clickhouse_minutes_wait(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import connections

    policy(cast, "request_rate", threshold=5)
    start_clock(4)
    with monkeypatch.context() as patch:
        patch.setitem(connections.settings["clickhouse"], "PORT", 9)
        assert evaluate_due(at(6)) == 0
    assert PolicyClock.objects.get().evaluated_until == at(4)

    assert evaluate_due(at(6)) == 2
    assert _minute(Incident.objects.get().opened_at) == 5
