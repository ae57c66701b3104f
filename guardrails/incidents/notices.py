"""From notices to notifications: what one contact is to hear of is told at once, and no more often than is bearable.

What is above the limit of an hour waits and is told together with what comes meanwhile; nothing is left out.
"""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.urls import reverse

from agentops_portal.fields import one_line
from projects.models import Membership

from .links import traces_link
from .models import Channel, Contact, IncidentEvent, Notice, Notification

MOST_AN_HOUR: Final = 20  # notifications of a contact
MOST_EVENTS: Final = 100  # of a notification
HOUR: Final = timedelta(hours=1)


def group_notices(now: datetime) -> list[UUID]:
    """Make the notifications of this minute, one for each contact with notices: one transaction each, so that any
    number of processes may do this at once. Gives their ids.
    """
    waiting = Contact.objects.filter(Exists(Notice.objects.filter(contact=OuterRef("pk"), notification=None)))
    made = []
    for contact_id in waiting.values_list("pk", flat=True)[:1000]:
        if notification := _group(contact_id, now):
            made.append(notification.pk)
    return made


def is_reached(contact: Contact) -> bool:
    """Whether its member still is one, with an account that is active and a confirmed address."""
    if contact.channel != Channel.EMAIL:
        return True
    members = Membership.objects.filter(organization=contact.organization_id, user=contact.user_id)
    return members.filter(user__is_active=True, user__email_confirmed_at__isnull=False).exists()


@transaction.atomic
def _group(contact_id: UUID, now: datetime) -> Notification | None:
    contact = Contact.objects.select_for_update(skip_locked=True).filter(pk=contact_id).first()
    if contact is None:
        return None
    minute = now.replace(second=0, microsecond=0)
    lately = contact.notifications.filter(minute__gt=minute - HOUR)
    if lately.count() >= MOST_AN_HOUR or lately.filter(minute=minute).exists():
        return None
    notices = Notice.objects.filter(contact=contact, notification=None).order_by("event__at", "event__id")
    rows = notices.select_related("event__incident__policy", "event__incident__project", "event__actor")
    taken = list(rows[:MOST_EVENTS])
    if not taken:
        return None
    user = contact.user if contact.channel == Channel.EMAIL else None
    notification = Notification.objects.create(
        contact=contact,
        channel=contact.channel,
        address=user.email if user else contact.address,
        minute=minute,
        content={
            "language": (user.language if user else "") or settings.LANGUAGE_CODE,
            "timezone": (user.timezone if user else "") or settings.TIME_ZONE,
            "at": now.isoformat(),
            "events": [told(each.event) for each in taken],
        },
        created_at=now,
        due_at=now,
    )
    Notice.objects.filter(pk__in=[each.pk for each in taken]).update(notification=notification)
    return notification


def told(event: IncidentEvent) -> dict[str, Any]:
    """An event as JSON: what all channels say of it, and what a webhook gets. Amounts are text."""
    incident = event.incident
    policy = incident.policy
    address = reverse("incident-detail", args=(incident.project_id, incident.pk))
    return {
        "event": event.kind,
        "at": event.at.isoformat(),
        "note": event.note,
        "by": event.actor.email if event.actor else None,
        "incident": {
            "id": str(incident.pk),
            "severity": incident.severity,
            "subject": incident.subject,
            "opened_at": incident.opened_at.isoformat(),
            "url": settings.PORTAL_URL + address,
            "traces_url": traces_link(incident),
        },
        "policy": {"id": str(policy.pk), "name": one_line(policy.name), "kind": policy.kind, "window": policy.window},
        "project": {"id": str(incident.project_id), "name": one_line(incident.project.name)},
        "value": _text(event.value),
        "threshold": _text(event.threshold),
    }


def _text(amount: Any) -> str | None:
    return None if amount is None else f"{amount.normalize():f}"
