"""Changes to policies. Each is one transaction that writes who did it.

That the actor may change the policy is the caller's matter: it was fetched by a QuerySet method that takes the actor.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from guardrails.incidents.models import Channel, Contact
from projects.models import Organization, Project, User
from projects.services import record

from .models import Policy

MOST_POLICIES: Final = 200  # of an organization
MOST_CONTACTS: Final = 50  # of a policy
FIELDS: Final = (
    *("name", "kind", "dimension", "window", "threshold", "warn_at", "resolve_at", "min_volume", "cool_down_minutes"),
    *("severity", "owner", "weekdays", "from_hour", "until_hour", "timezone", "is_enabled"),
)
_UNCHECKED: Final = ("organization", "project", "owner")


@transaction.atomic
def create_policy(
    *, organization: Organization, project: Project | None, values: Mapping[str, Any], actor: User | None, now: datetime
) -> Policy:
    """values: some of FIELDS. It is evaluated from the next minute on. Raises ValidationError."""
    Organization.objects.select_for_update().get(pk=organization.pk)  # two at once must not pass the limit together
    if Policy.objects.filter(organization=organization).count() >= MOST_POLICIES:
        raise ValidationError(_("The organization has %(most)d policies: remove one first.") % {"most": MOST_POLICIES})
    policy = Policy(organization=organization, project=project, created_at=now, **values)
    _check(policy)
    policy.save()
    record("policy.created", target=policy.name, **_by(policy, actor))
    return policy


@transaction.atomic
def update_policy(*, policy: Policy, values: Mapping[str, Any], actor: User | None) -> None:
    """Change what is given. What goes on is judged by it from the next minute on. Raises ValidationError."""
    before = {name: getattr(policy, name) for name in values}
    for name, value in values.items():
        setattr(policy, name, value)
    _check(policy)
    policy.save()
    changed = sorted(name for name, value in values.items() if before[name] != value)
    if changed:
        record("policy.changed", target=policy.name, changed=changed, **_by(policy, actor))


@transaction.atomic
def delete_policy(*, policy: Policy, actor: User | None) -> None:
    """With its incidents."""
    record("policy.deleted", target=policy.name, **_by(policy, actor))
    policy.delete()


@transaction.atomic
def mute(*, policy: Policy, until: datetime | None, actor: User | None) -> None:
    """Incidents open and end, and nobody is told of those that open before `until`; None: from now on again."""
    policy.muted_until = until
    policy.save(update_fields=["muted_until"])
    details: dict[str, Any] = {"until": until.isoformat()} if until else {}
    record("policy.muted" if until else "policy.unmuted", target=policy.name, **details, **_by(policy, actor))


@transaction.atomic
def set_contacts(
    *, policy: Policy, members: Iterable[User], hooks: Mapping[str, Sequence[str]], actor: User | None, now: datetime
) -> list[Contact]:
    """Make these whom the policy tells: members by e-mail, and by channel addresses of webhooks. Gives the contacts
    that the organization did not have before. Raises ValidationError.
    """
    wanted: dict[tuple[str, str], User | None] = {(Channel.EMAIL.value, user.email): user for user in members}
    for channel in (Channel.SLACK, Channel.TEAMS, Channel.WEBHOOK):
        wanted |= {(channel.value, address): None for address in hooks.get(channel, ())}
    if len(wanted) > MOST_CONTACTS:
        raise ValidationError(_("A policy tells at most %(most)d contacts.") % {"most": MOST_CONTACTS})
    contacts, new = [], []
    for (channel_name, address), user in wanted.items():
        contact, is_new = Contact.objects.get_or_create(
            organization=policy.organization,
            channel=channel_name,
            address=address,
            defaults={"user": user, "created_at": now},
        )
        contacts.append(contact)
        new += [contact] if is_new else []
    before = set(policy.contacts.all())
    policy.contacts.set(contacts)
    if before != set(contacts):
        added = sorted(each.shown for each in set(contacts) - before)
        removed = len(before - set(contacts))
        record("policy.contacts", target=policy.name, added=added, removed=removed, **_by(policy, actor))
    return new


def hooks_of(project: Project) -> list[Contact]:
    """Those of the project's organization that are told by something else than e-mail."""
    return list(Contact.objects.filter(organization=project.organization_id).exclude(channel=Channel.EMAIL))


def _check(policy: Policy) -> None:
    policy.clean_fields(exclude=_UNCHECKED)
    policy.clean()
    owner = policy.owner
    if owner is not None and not policy.organization.members.filter(pk=owner.pk).exists():
        raise ValidationError({"owner": _("The owner is a member of the organization.")})


def _by(policy: Policy, actor: User | None) -> dict[str, Any]:
    return {"actor": actor, "organization": policy.organization, "project": policy.project}
