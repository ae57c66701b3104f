"""Changes to rules and limits. Each is one transaction that writes who did it.

That the actor may change the row is the caller's matter: it was fetched by a QuerySet method that takes the actor.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from projects.models import Organization, Project, User
from projects.services import record

from .models import Limit, Rule

MOST: Final = 100  # rules, and limits, of an organization
RULE_FIELDS: Final = (
    *("name", "way", "entities", "pattern", "mark", "country", "action", "phase", "position", "reason"),
    *("shadow", "enabled"),
)
LIMIT_FIELDS: Final = (*("name", "measure", "amount", "window", "per", "reserve", "fails_open", "shadow", "enabled"),)
Kept = TypeVar("Kept", Rule, Limit)
_NOUNS: Final = {Rule: "rule", Limit: "limit"}


@transaction.atomic
def create_row(
    kind: type[Kept],
    *,
    organization: Organization,
    project: Project | None,
    values: Mapping[str, Any],
    actor: User | None,
) -> Kept:
    """A rule or limit, of all projects without one. values: some of its fields. Raises ValidationError."""
    Organization.objects.select_for_update().get(pk=organization.pk)  # two at once must not pass the limit together
    if kind.objects.filter(organization=organization).count() >= MOST:
        raise ValidationError(_("The organization has %(most)d of them: remove one first.") % {"most": MOST})
    row = kind(organization=organization, project=project, created_by=actor, **values)
    row.full_clean()
    row.save()
    record(f"{_NOUNS[kind]}.created", target=row.name, **_by(row, actor))
    return row


@transaction.atomic
def update_row(*, row: Rule | Limit, values: Mapping[str, Any], actor: User | None) -> None:
    """Change what is given. Raises ValidationError."""
    changed = sorted(name for name, value in values.items() if getattr(row, name) != value)
    for name in changed:
        setattr(row, name, values[name])
    row.full_clean()
    row.save()
    if changed:
        record(f"{_NOUNS[type(row)]}.changed", target=row.name, changed=changed, **_by(row, actor))


@transaction.atomic
def delete_row(*, row: Rule | Limit, actor: User | None) -> None:
    record(f"{_NOUNS[type(row)]}.deleted", target=row.name, **_by(row, actor))
    row.delete()


def _by(row: Rule | Limit, actor: User | None) -> dict[str, Any]:
    return {"actor": actor, "organization": row.organization, "project": row.project}
