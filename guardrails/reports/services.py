"""Changes to schedules and what people ask of reports. Each is one transaction that writes who did it.

That the actor may change the schedule is the caller's matter: it was fetched by a QuerySet method that takes the actor.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from agentops_portal.fields import lower_email
from projects.models import Membership, Organization, Project, User
from projects.services import record

from .models import Channel, Delivery, DeliveryState, Recipient, Report, ReportSchedule

MOST_RECIPIENTS: Final = 50
MOST_SCHEDULES: Final = 50  # of an organization
TIMING: Final = ("frequency", "weekday", "day", "hour", "timezone", "grace_minutes")
FIELDS: Final = (*TIMING, "name", "language", "sections", "formats", "sends_empty", "catch_up")


@transaction.atomic
def create_schedule(
    *, organization: Organization, project: Project | None, values: Mapping[str, Any], actor: User | None, now: datetime
) -> ReportSchedule:
    """A schedule whose first report is of the period that runs now. values: some of FIELDS. Raises ValidationError."""
    Organization.objects.select_for_update().get(pk=organization.pk)  # two at once must not pass the limit together
    if ReportSchedule.objects.filter(organization=organization).count() >= MOST_SCHEDULES:
        raise ValidationError(
            _("The organization has %(most)d schedules: remove one first.") % {"most": MOST_SCHEDULES}
        )
    schedule = ReportSchedule(organization=organization, project=project, created_by=actor, created_at=now, **values)
    schedule.clean_fields(exclude=["next_start", "due_at"])
    restart(schedule, now)
    schedule.save()
    record("report_schedule.created", target=schedule.name, **_by(schedule, actor))
    return schedule


@transaction.atomic
def update_schedule(*, schedule: ReportSchedule, values: Mapping[str, Any], actor: User | None, now: datetime) -> None:
    """Change what is given. Other times begin with the period that runs now. Raises ValidationError."""
    before = {name: getattr(schedule, name) for name in values}
    for name, value in values.items():
        setattr(schedule, name, value)
    schedule.clean_fields()
    if any(before[name] != values[name] for name in TIMING if name in values):
        restart(schedule, now)
    schedule.save()
    changed = sorted(name for name, value in values.items() if before[name] != value)
    if changed:
        record("report_schedule.changed", target=schedule.name, changed=changed, **_by(schedule, actor))


@transaction.atomic
def delete_schedule(*, schedule: ReportSchedule, actor: User | None) -> None:
    """With its reports."""
    record("report_schedule.deleted", target=schedule.name, **_by(schedule, actor))
    schedule.delete()


@transaction.atomic
def pause(*, schedule: ReportSchedule, actor: User | None, now: datetime) -> None:
    """No report is made until it is resumed; what was made already is still sent."""
    if ReportSchedule.objects.filter(pk=schedule.pk, paused_at=None).update(paused_at=now):
        record("report_schedule.paused", target=schedule.name, **_by(schedule, actor))


@transaction.atomic
def resume(*, schedule: ReportSchedule, actor: User | None, now: datetime) -> None:
    """Go on with the period that runs now: those that passed meanwhile were not wanted."""
    locked = ReportSchedule.objects.select_for_update(of=("self",)).get(pk=schedule.pk)
    if locked.paused_at is not None:
        locked.paused_at = None
        restart(locked, now)
        locked.save(update_fields=["paused_at", "next_start", "due_at"])
        record("report_schedule.resumed", target=schedule.name, **_by(schedule, actor))


@transaction.atomic
def send_now(*, schedule: ReportSchedule, actor: User | None, now: datetime) -> Report:
    """The report of the last period that is over, without waiting for its hour; its time passes without another one.
    Raises ValidationError when it was made before.
    """
    locked = ReportSchedule.objects.select_for_update(of=("self",)).get(pk=schedule.pk)
    rhythm = locked.rhythm
    running = rhythm.period_at(now)
    period = rhythm.previous(running)
    same = Report.objects.filter(schedule=locked, period_start=period.start, period_end=period.end)
    if same.exists():
        raise ValidationError(_("The report of this period was made already: send it again from its page."))
    report = Report.objects.create(
        schedule=locked,
        period_start=period.start,
        period_end=period.end,
        timezone=locked.timezone,
        due_at=rhythm.due_at(period),
        created_at=now,
        try_at=now,
    )
    if locked.next_start < running.start:
        locked.next_start, locked.due_at = running.start, rhythm.due_at(running)
        locked.save(update_fields=["next_start", "due_at"])
    record("report.sent_now", target=str(report), report=str(report.pk), **_by(schedule, actor))
    return report


@transaction.atomic
def correct(*, report: Report, actor: User | None, now: datetime) -> Report:
    """A new version of a report, with the figures of now, which says that it is one. The old one stays."""
    ReportSchedule.objects.select_for_update(of=("self",)).get(pk=report.schedule_id)
    same = Report.objects.filter(
        schedule=report.schedule_id, period_start=report.period_start, period_end=report.period_end
    )
    newest: int = same.aggregate(newest=Max("revision"))["newest"]
    corrected = Report.objects.create(
        schedule=report.schedule,
        period_start=report.period_start,
        period_end=report.period_end,
        timezone=report.timezone,
        revision=newest + 1,
        due_at=report.due_at,
        created_at=now,
        try_at=now,
    )
    by = _by(report.schedule, actor)
    record("report.corrected", target=str(report), report=str(corrected.pk), revision=corrected.revision, **by)
    return corrected


@transaction.atomic
def resend(*, delivery: Delivery, actor: User | None, now: datetime) -> bool:
    """Send the very same again, because a person says so. False: it is being sent just now, or waits to be."""
    row = Delivery.objects.select_for_update(of=("self",)).get(pk=delivery.pk)
    if row.state in (DeliveryState.SENDING, DeliveryState.PENDING):
        return False
    row.state, row.failures, row.due_at, row.told_until = DeliveryState.PENDING, 0, now, None
    row.save(update_fields=["state", "failures", "due_at", "told_until"])
    schedule = delivery.report.schedule
    record("report.resent", target=str(delivery), delivery=str(delivery.pk), **_by(schedule, actor))
    return True


@transaction.atomic
def set_recipients(
    *,
    schedule: ReportSchedule,
    members: Sequence[User],
    addresses: Mapping[str, Sequence[str]],
    actor: User | None,
    now: datetime,
) -> list[Recipient]:
    """Make these the recipients: members, and by channel addresses; who is one already stays as it is. Gives those that
    are new; one that is not confirmed is to be asked whether it wants the reports. Raises ValidationError.
    """
    wanted: dict[tuple[str, str], User | None] = {(Channel.EMAIL, user.email): user for user in members}
    for address in addresses.get(Channel.EMAIL, ()):
        validate_email(address)
        known = _member(schedule.organization_id, address)
        wanted.setdefault((Channel.EMAIL, lower_email(address)), known)
    for channel in (Channel.SLACK, Channel.WEBHOOK):
        wanted |= {(channel, address): None for address in addresses.get(channel, ())}
    if len(wanted) > MOST_RECIPIENTS:
        raise ValidationError(_("A schedule has at most %(most)d recipients.") % {"most": MOST_RECIPIENTS})
    present = {(each.channel, each.address): each for each in schedule.recipients.select_for_update()}
    gone = [each.pk for key, each in present.items() if key not in wanted]
    Recipient.objects.filter(pk__in=gone).delete()
    new = [
        Recipient(
            schedule=schedule,
            channel=channel,
            address=address,
            user=user,
            created_at=now,
            confirmed_at=now if user is not None or channel != Channel.EMAIL else None,
        )
        for (channel, address), user in wanted.items()
        if (channel, address) not in present
    ]
    Recipient.objects.bulk_create(new)
    if gone or new:
        added, removed = sorted(each.shown for each in new), len(gone)
        record("report_schedule.recipients", target=schedule.name, added=added, removed=removed, **_by(schedule, actor))
    return new


def _member(organization_id: UUID, address: str) -> User | None:
    """Whose confirmed address this is, of the members."""
    found = Membership.objects.filter(
        organization=organization_id, user__email=lower_email(address), user__email_confirmed_at__isnull=False
    )
    membership = found.select_related("user").first()
    return membership.user if membership else None


def restart(schedule: ReportSchedule, now: datetime) -> None:
    """Go on with the period that runs now; the row is the caller's to save."""
    running = schedule.rhythm.period_at(now)
    schedule.next_start, schedule.due_at = running.start, schedule.rhythm.due_at(running)


def _by(schedule: ReportSchedule, actor: User | None) -> dict[str, Any]:
    return {"actor": actor, "organization": schedule.organization, "project": schedule.project}
