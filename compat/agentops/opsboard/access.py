"""Who may do what below /opsboard: what a person does not see is 404, what the role does not allow is 403."""

from typing import Any, Final
from uuid import UUID

from django.utils.timezone import now
from rest_framework.request import Request

from compat.contract import ContractError, ContractView, SessionOfThisPortal, contract_errors
from projects.api.access import IsPerson
from projects.models import Organization, Project, Role, User
from projects.querysets import ADMINISTRATOR_ROLES
from projects.teams import Refused

NO_ORGANIZATION: Final = "Organization not found"
NO_PROJECT: Final = "Project not found"
TOO_LOW: Final = "Only owners and admins of the organization may do this."


class OpsboardView(ContractView):
    """For people: a key or token opens nothing here, no machine manages who may see what."""

    authentication_classes: Any = (SessionOfThisPortal,)
    permission_classes: Any = (IsPerson,)

    def get_exception_handler(self) -> Any:
        return _refusals


def _refusals(error: Exception, context: dict[str, Any]) -> Any:
    if isinstance(error, Refused):
        error = ContractError(error.status, str(error), error.wait)
    return contract_errors(error, context)


def actor(request: Request) -> User:
    assert isinstance(request.user, User)  # noqa: S101  IsPerson has seen to it
    return request.user


def parsed_id(text: str, message: str) -> UUID:
    """Raises ContractError 404: what is no id is the id of nothing."""
    try:
        return UUID(text)
    except ValueError:
        raise ContractError(404, message) from None


def member_organization(request: Request, organization_id: str) -> Organization:
    """The organization, if the person sees it, with `role` and counts. Raises ContractError 404."""
    wanted = parsed_id(organization_id, NO_ORGANIZATION)
    visible = Organization.objects.visible_to(request.user).with_role_of(request.user).with_counts()
    organization = visible.filter(pk=wanted).first()
    if organization is None:
        raise ContractError(404, NO_ORGANIZATION)
    return organization


def administered_organization(request: Request, organization_id: str) -> Organization:
    """The organization, if the person is its owner or admin. Raises ContractError 404 or 403."""
    organization = member_organization(request, organization_id)
    if not is_administrator(request, organization.role):
        raise ContractError(403, TOO_LOW)
    return organization


def member_project(request: Request, project_id: str) -> Project:
    """The project, if the person sees it, with `role` and `key_prefix`. Raises ContractError 404."""
    wanted = parsed_id(project_id, NO_PROJECT)
    visible = Project.objects.visible_to(request.user).with_role_of(request.user).with_key_prefix(now())
    project = visible.select_related("organization").filter(pk=wanted).first()
    if project is None:
        raise ContractError(404, NO_PROJECT)
    return project


def is_administrator(request: Request, role: str | None) -> bool:
    return actor(request).is_superuser or role in ADMINISTRATOR_ROLES


def is_owner(request: Request, role: str | None) -> bool:
    return actor(request).is_superuser or role == Role.OWNER
