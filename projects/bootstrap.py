"""The first user, organization, project and key of a portal: made once, found again ever after."""

import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.timezone import now

from agentops_portal.fields import lower_email

from .digests import PREFIX_LENGTH, canonical, matches
from .dotenv import read_variable, set_variables
from .models import ApiKey, Membership, Organization, Project, Role, User
from .services import add_member, create_api_key, create_organization, create_project, revoke_api_key

EMAIL: Final = "admin@agent-portal.local"
ORGANIZATION: Final = "Agent Portal Organization"
PROJECT: Final = "agent-portal"
KEY: Final = "bootstrap"
KEY_VARIABLE: Final = "AGENTOPS_API_KEY"
PROJECT_VARIABLE: Final = "AGENTOPS_PROJECT_ID"
_LOCK: Final = 0x41_67_4F_70  # any number that no other advisory lock of this database has


class BootstrapError(Exception):
    """What is in the way, in one sentence with the way out."""


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """What there is now. `password` and `api_key` are None unless this run made them: nobody can tell them later."""

    email: str
    organization: str
    organization_id: str
    project: str
    project_id: str
    key_prefix: str
    env_file: str | None  # None: no file was to be written
    password: str | None = field(default=None, repr=False)
    api_key: str | None = field(default=None, repr=False)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@transaction.atomic
def bootstrap(
    *,
    email: str = EMAIL,
    password: str = "",
    reset_password: bool = False,
    rotate_key: bool = False,
    env_file: Path | None = None,
) -> Bootstrap:
    """Make what is missing and write the key and the project's id to `env_file`; runs at the same time wait.

    `password` is for a new account, and for an old one only with `reset_password`; without it one is generated.
    `rotate_key` replaces the key in `env_file`. Raises BootstrapError and leaves everything as it was.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    user, shown_password = _user(email, password, reset_password)
    organization = _organization(user)
    project = _project(organization, user)
    key, secret = _key(project, user, env_file, rotate_key)
    if env_file is not None:
        _write(env_file, project, secret)
    return Bootstrap(
        email=user.email,
        password=shown_password,
        organization=organization.name,
        organization_id=str(organization.pk),
        project=project.name,
        project_id=str(project.pk),
        key_prefix=key.prefix,
        api_key=secret,
        env_file=str(env_file) if env_file is not None else None,
    )


def _user(email: str, password: str, reset_password: bool) -> tuple[User, str | None]:
    """The account, and its password if that was set just now."""
    known = User.objects.filter(email=lower_email(email)).first()
    if known is not None and not (reset_password and password):
        return known, None
    user = known or User(email=lower_email(email), full_name="Portal Admin", is_staff=True, is_superuser=True)
    chosen = password or secrets.token_urlsafe(12)
    try:
        validate_email(user.email)
        validate_password(chosen, user)
    except ValidationError as error:
        raise BootstrapError(
            f"{user.email}: {' '.join(error.messages)} Choose another with --email or --password."
        ) from None
    user.set_password(chosen)
    user.save()
    return user, chosen


def _organization(user: User) -> Organization:
    organization = Organization.objects.filter(name=ORGANIZATION).order_by("created_at").first()
    if organization is None:
        return create_organization(name=ORGANIZATION, owner=user)
    if not Membership.objects.filter(organization=organization, user=user).exists():
        add_member(organization=organization, user=user, role=Role.OWNER)
    return organization


def _project(organization: Organization, user: User) -> Project:
    projects = Project.objects.active().filter(organization=organization, name=PROJECT)
    return projects.order_by("created_at").first() or create_project(
        organization=organization, name=PROJECT, actor=user
    )


def _key(project: Project, user: User, env_file: Path | None, rotate: bool) -> tuple[ApiKey, str | None]:
    """The key to use, and its secret if it was made just now.

    With a file, the key is the one in it, so that the file always holds one that works; without, any that works.
    """
    usable = ApiKey.objects.usable(now()).filter(project=project)
    current = _key_in(env_file, usable) if env_file else usable.filter(name=KEY).order_by("-created_at").first()
    if current is not None and not rotate:
        return current, None
    if current is not None:
        revoke_api_key(key=current, actor=user)
    issued = create_api_key(project=project, name=KEY, actor=user)
    return issued.key, issued.secret


def _key_in(env_file: Path, usable: QuerySet[ApiKey]) -> ApiKey | None:
    try:
        secret = canonical(read_variable(env_file, KEY_VARIABLE))
    except OSError as error:
        raise _unusable(env_file, error) from None
    if secret is None:
        return None
    keys = usable.filter(prefix=secret[:PREFIX_LENGTH])
    return next((key for key in keys if matches(secret, key.digest)), None)


def _write(env_file: Path, project: Project, secret: str | None) -> None:
    """Before the transaction ends: a key that could not be written down would be lost."""
    values = {PROJECT_VARIABLE: str(project.pk)}
    if secret is not None:
        values[KEY_VARIABLE] = secret
    try:
        if any(read_variable(env_file, name) != value for name, value in values.items()):
            set_variables(env_file, values)
    except OSError as error:
        raise _unusable(env_file, error) from None


def _unusable(env_file: Path, error: OSError) -> BootstrapError:
    return BootstrapError(
        f"{env_file} cannot be used ({error.strerror}): set PORTAL_DOTENV to a file this user can write, or name one "
        "with --env-file, or use --no-env-file."
    )
