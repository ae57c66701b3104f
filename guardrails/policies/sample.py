"""Policies for the sample project, and the incidents that they would have opened on its traces: the very figures, found
by the simulation, so that every number on the pages can be followed to its traces.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import structlog
from django.db import transaction
from django.utils.translation import gettext as _

from agentops_portal.clickhouse.gate import ClickHouseError
from guardrails.incidents import changes
from guardrails.incidents.models import Severity
from projects.models import Project

from . import services
from .kinds import Kind, Window
from .models import Policy
from .simulation import Opening, Simulated, simulate
from .windows import window_start

log = structlog.get_logger(__name__)

DAYS: Final = 7


def make_sample(*, project: Project, now: datetime, **_signal: Any) -> None:
    """Once; nothing without an answer of ClickHouse."""
    owner = project.organization.members.order_by("date_joined").first()
    if owner is None or Policy.objects.filter(project=project).exists():
        return
    try:
        with transaction.atomic():
            for values in _policies():
                policy = services.create_policy(
                    organization=project.organization,
                    project=project,
                    values={"owner": owner, "timezone": owner.timezone or "UTC", **values},
                    actor=None,
                    now=now,
                )
                services.set_contacts(policy=policy, members=[owner], hooks={}, actor=None, now=now)
                _replay(policy, project, simulate(policy, project, DAYS, now))
    except ClickHouseError as error:
        log.error("no sample policies were made", problem=str(error))
        return
    log.info("sample policies were made", project=str(project.pk))


def _policies() -> list[dict[str, Any]]:
    return [
        {
            "name": _("Too many errors"),
            "kind": Kind.ERROR_RATE,
            "window": Window.SIX,
            "threshold": Decimal("0.25"),
            "resolve_at": Decimal("0.15"),
            "min_volume": 10,
            "severity": Severity.CRITICAL,
        },
        {
            "name": _("Requests that no guardrail saw"),
            "kind": Kind.COVERAGE,
            "window": Window.TWENTY_FOUR,
            "threshold": Decimal("0.9"),
            "min_volume": 20,
        },
        {
            "name": _("Budget of a day"),
            "kind": Kind.COST_BUDGET,
            "window": Window.DAY,
            "threshold": Decimal(1),
            "warn_at": Decimal("0.8"),
            "severity": Severity.CRITICAL,
        },
        {
            "name": _("Guardrails that do not answer"),
            "kind": Kind.GUARDRAIL_FAILURES,
            "window": Window.SIX,
            "threshold": Decimal("0.2"),
            "min_volume": 20,
        },
    ]


def _replay(policy: Policy, project: Project, simulated: Simulated) -> None:
    """The newest incident that goes on, or else the newest that ended. Nobody is told of the past."""
    going_on = [each for each in simulated.openings if each.ended_at is None]
    for opening in (going_on or simulated.openings)[-1:]:
        _make(policy, project, opening, simulated)


def _make(policy: Policy, project: Project, opening: Opening, simulated: Simulated) -> None:
    services.mute(policy=policy, until=simulated.end + timedelta(minutes=1), actor=None)
    incident = changes.open_incident(
        policy=policy,
        project=project,
        subject=opening.subject,
        severity=opening.severity,
        value=opening.value,
        threshold=policy.threshold,
        window_start=window_start(policy, opening.opened_at),
        moment=opening.opened_at,
    )
    services.mute(policy=policy, until=None, actor=None)
    if incident is None:
        return
    until = opening.ended_at or simulated.end
    values = simulated.series.get(opening.subject, {})
    for moment, value in values.items():
        if opening.opened_at <= moment <= until:
            changes.see(incident, value, moment)
    changes.update_values([incident])
    if opening.ended_at is not None:
        changes.end(incident, opening.ended_at)
