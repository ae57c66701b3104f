"""Every minute, all policies: what they read becomes incidents. The tick calls this.

One row of PostgreSQL (PolicyClock) says up to which minute that was done. Whoever holds its lock evaluates the next
minute, in one transaction: a worker that is killed has done nothing, another that comes meanwhile does nothing. After a
pause the minutes are made up for in their order, the newest MOST_LATE of them.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Max

from agentops_portal.clickhouse.gate import ClickHouseUnavailable
from agentops_portal.fields import one_line
from guardrails.incidents import changes
from guardrails.incidents.models import Incident, IncidentState
from projects.models import Project

from .deciding import Reading, Standing, decide
from .models import Policy, PolicyClock
from .readings import Readings, Watch, absent, readings_of

log = structlog.get_logger(__name__)

MINUTE: Final = timedelta(minutes=1)
MOST_LATE: Final = 60  # minutes that are made up for
LONGEST_COOL_DOWN: Final = timedelta(days=7)
MOST_PROJECTS: Final = 100  # of an organization
LONGEST_SUBJECT: Final = 300

_Place = tuple[UUID, UUID, str]  # policy, project, subject


def evaluate_due(now: datetime) -> int:
    """Evaluate the minutes that are over and were not evaluated. Gives their number; 0 as well when another worker is
    at it, or ClickHouse is away: then they wait.
    """
    done = 0
    try:
        while _evaluate_next(now):
            done += 1
    except ClickHouseUnavailable as error:
        log.error("policies wait for ClickHouse", problem=str(error))
    return done


@transaction.atomic
def _evaluate_next(now: datetime) -> bool:
    last = now.replace(second=0, microsecond=0)
    PolicyClock.objects.get_or_create(pk=1, defaults={"evaluated_until": last - MINUTE})
    clock = PolicyClock.objects.select_for_update(skip_locked=True).filter(pk=1).first()
    if clock is None or clock.evaluated_until >= last:
        return False
    moment = clock.evaluated_until + MINUTE
    if last - moment >= MOST_LATE * MINUTE:
        log.error("minutes are too old to evaluate policies for", since=str(moment))
        moment = last - (MOST_LATE - 1) * MINUTE
    evaluate(moment)
    clock.evaluated_until = moment
    clock.save(update_fields=["evaluated_until"])
    return True


def evaluate(moment: datetime) -> None:
    """As of the moment, which is the end of a minute. Raises ClickHouseUnavailable."""
    watches = watches_of(Policy.objects.enabled().filter(created_at__lt=moment).select_related("project"))
    if not watches:
        return
    answers = readings_of(watches, moment)
    _note_problems({each.policy for each in watches}, {policy: said for (policy, _), said in answers.problems.items()})
    policies = {each.policy.pk for each in watches}
    current = {
        _place(each): each for each in Incident.objects.going_on().filter(policy__in=policies).select_related("policy")
    }
    ended = _ended(policies, moment)
    seen: list[Incident] = []
    for watch in watches:
        readings = answers.readings.get(watch.key)
        if readings is None:
            continue
        for subject, reading in _with_absent(watch, readings, current, moment):
            place = (*watch.key, subject)
            incident = current.get(place)
            try:
                _apply(watch, subject, reading, incident, ended.get(place), moment)
            except Exception:  # one policy that cannot be read must not hold up the others
                log.exception("a policy could not be evaluated", policy=str(watch.policy.pk))
            if incident is not None:
                seen.append(incident)
    changes.update_values(seen)


def watches_of(policies: Iterable[Policy]) -> list[Watch]:
    """A policy of an organization is one in each of its projects."""
    of_all = list(policies)
    organizations = {each.organization_id for each in of_all if each.project_id is None}
    projects: dict[UUID, list[Project]] = {}
    for project in Project.objects.active().filter(organization__in=organizations).order_by("created_at"):
        projects.setdefault(project.organization_id, []).append(project)
    found: list[Watch] = []
    for policy in of_all:
        own = [policy.project] if policy.project else projects.get(policy.organization_id, [])[:MOST_PROJECTS]
        found += [Watch(policy, project) for project in own]
    return found


def _with_absent(
    watch: Watch, readings: Readings, current: dict[_Place, Incident], moment: datetime
) -> Iterator[tuple[str, Reading]]:
    """What was read, and what goes on without having been read."""
    told = {_as_text(subject): reading for subject, reading in readings.items()}
    yield from told.items()
    for policy, project, subject in current:
        if (policy, project) == watch.key and subject not in told:
            yield subject, absent(watch.policy, moment)


def _apply(
    watch: Watch,
    subject: str,
    reading: Reading,
    incident: Incident | None,
    ended_at: datetime | None,
    moment: datetime,
) -> None:
    policy = watch.policy
    step = decide(policy, reading, Standing(incident.severity if incident else "", ended_at), moment)
    if incident is not None:
        changes.see(incident, reading.value, moment)
    if step is None:
        return
    with transaction.atomic():
        if step.outcome == "opened":
            changes.open_incident(
                policy=policy,
                project=watch.project,
                subject=subject,
                severity=step.severity,
                value=reading.value or Decimal(0),
                threshold=step.threshold,
                window_start=reading.window_start,
                moment=moment,
                unknown_calls=reading.unknown_calls,
            )
        elif incident is not None and step.outcome == "escalated":
            changes.escalate(incident, policy, step.severity, step.threshold, moment)
        elif incident is not None:
            changes.end(incident, moment, reason=step.reason)


def _as_text(name: str) -> str:
    """What a client called something, without the one sign that PostgreSQL holds in no text."""
    return name[:LONGEST_SUBJECT].replace("\0", "\N{REPLACEMENT CHARACTER}")


def _place(incident: Incident) -> _Place:
    return incident.policy_id, incident.project_id, incident.subject


def _ended(policies: set[UUID], moment: datetime) -> dict[_Place, datetime]:
    """When the last incident of each place ended, as far as a cool-down reaches."""
    rows = Incident.objects.filter(
        policy__in=policies, state=IncidentState.RESOLVED, resolved_at__gt=moment - LONGEST_COOL_DOWN
    )
    ended = rows.order_by().values("policy", "project", "subject").annotate(last=Max("resolved_at"))
    return {(row["policy"], row["project"], row["subject"]): row["last"] for row in ended}


def _note_problems(policies: set[Policy], problems: dict[UUID, str]) -> None:
    """Why a policy could not be evaluated, for its page; and that it can be again."""
    changed: Sequence[Policy] = [each for each in policies if each.problem != one_line(problems.get(each.pk, ""))[:300]]
    for policy in changed:
        policy.problem = one_line(problems.get(policy.pk, ""))[:300]
    Policy.objects.bulk_update(changed, ["problem"])
