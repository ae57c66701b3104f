"""How incidents open, grow, and end, each with an entry of the timeline and the notices of who is to hear of it.

That a person may change an incident is the caller's matter.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import structlog
from django.db import IntegrityError, transaction

from agentops_portal.fields import one_line
from guardrails.policies.kinds import KINDS
from projects.models import Project, User
from projects.services import record

from .models import Contact, EventKind, Incident, IncidentEvent, IncidentState, Notice

if TYPE_CHECKING:
    from guardrails.policies.models import Policy

log = structlog.get_logger(__name__)

LONGEST_NOTE = 1000


def open_incident(
    *,
    policy: "Policy",
    project: Project,
    subject: str,
    severity: str,
    value: Decimal,
    threshold: Decimal,
    window_start: datetime,
    moment: datetime,
    unknown_calls: int = 0,
) -> Incident | None:
    """None when one of the same policy and subject goes on already."""
    try:
        with transaction.atomic():
            incident = Incident.objects.create(
                policy=policy,
                project=project,
                subject=subject,
                severity=severity,
                value=value,
                worst=value,
                threshold=threshold,
                window_start=window_start,
                opened_at=moment,
                seen_at=moment,
            )
    except IntegrityError:
        log.warning("an incident goes on already", policy=str(policy.pk), project=str(project.pk))
        return None
    note = f"unknown_cost_calls={unknown_calls}" if unknown_calls else ""
    event = _write(incident, EventKind.OPENED, moment, note=note)
    _tell(event, policy, moment)
    return incident


def see(incident: Incident, value: Decimal | None, moment: datetime) -> None:
    """The newest value; `update_values` saves it."""
    incident.seen_at = moment
    if value is None:
        return
    worse = min if KINDS[incident.policy.kind].is_floor else max
    incident.value, incident.worst = value, worse(incident.worst, value)


def update_values(incidents: Sequence[Incident]) -> None:
    """Nothing of what a person may change meanwhile."""
    Incident.objects.bulk_update(incidents, ["value", "worst", "seen_at"], batch_size=500)


def escalate(incident: Incident, policy: "Policy", severity: str, threshold: Decimal, moment: datetime) -> None:
    incident.severity, incident.threshold = severity, threshold
    incident.save(update_fields=["severity", "threshold"])
    _tell(_write(incident, EventKind.ESCALATED, moment), policy, moment)


@transaction.atomic
def end(incident: Incident, moment: datetime, *, actor: User | None = None, note: str = "", reason: str = "") -> bool:
    """False when it was over already. Whoever heard that it opened hears that it ended."""
    going_on = Incident.objects.going_on().filter(pk=incident.pk)
    if not going_on.update(state=IncidentState.RESOLVED, resolved_at=moment):
        return False
    incident.state, incident.resolved_at = IncidentState.RESOLVED, moment
    event = _write(incident, EventKind.RESOLVED, moment, actor=actor, note=note or reason)
    told = Contact.objects.filter(notices__event__incident=incident).distinct()
    Notice.objects.bulk_create([Notice(event=event, contact=each) for each in told], ignore_conflicts=True)
    if actor is not None:
        record("incident.resolved", target=str(incident), project=incident.project, actor=actor)
    return True


@transaction.atomic
def acknowledge(incident: Incident, moment: datetime, *, actor: User, note: str = "") -> bool:
    """False when somebody did before, or it is over."""
    is_open = Incident.objects.filter(pk=incident.pk, state=IncidentState.OPEN)
    if not is_open.update(state=IncidentState.ACKNOWLEDGED, acknowledged_at=moment, acknowledged_by=actor):
        return False
    incident.refresh_from_db()
    _write(incident, EventKind.ACKNOWLEDGED, moment, actor=actor, note=note)
    record("incident.acknowledged", target=str(incident), project=incident.project, actor=actor)
    return True


def _write(
    incident: Incident, kind: str, moment: datetime, *, actor: User | None = None, note: str = ""
) -> IncidentEvent:
    return IncidentEvent.objects.create(
        incident=incident,
        kind=kind,
        at=moment,
        value=incident.value,
        threshold=incident.threshold,
        actor=actor,
        note=one_line(note)[:LONGEST_NOTE],
    )


def _tell(event: IncidentEvent, policy: "Policy", moment: datetime) -> None:
    """Nobody while the policy is muted."""
    if policy.is_muted(moment):
        return
    contacts: Iterable[Contact] = policy.contacts.all()
    Notice.objects.bulk_create([Notice(event=event, contact=each) for each in contacts], ignore_conflicts=True)
