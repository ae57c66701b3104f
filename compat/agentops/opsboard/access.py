"""Who may do what below /opsboard: what a person does not see is 404, what the role does not allow is 403."""

from typing import Any, Final

from django.utils.timezone import now
from rest_framework.request import Request

from compat.contract import ContractError, ContractView, SessionOfThisPortal, contract_errors
from projects.access import administered, person, visible_organization, visible_project
from projects.api.access import IsPerson
from projects.api.actor import actor_of
from projects.models import Organization, Project, User
from projects.teams import Refused

NO_ORGANIZATION: Final = "Organization not found"
NO_PROJECT: Final = "Project not found"


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
    """Who asks: a person, as IsPerson has seen to."""
    return person(actor_of(request))


def member_organization(request: Request, organization_id: str) -> Organization:
    """The organization, if the person sees it, with `role` and counts. Raises NotThere."""
    return visible_organization(
        actor(request),
        organization_id,
        among=Organization.objects.with_role_of(actor(request)).with_counts(),
        missing=NO_ORGANIZATION,
    )


def administered_organization(request: Request, organization_id: str) -> Organization:
    """The organization, if the person is its owner or admin. Raises NotThere or NotAllowed."""
    return administered(actor(request), member_organization(request, organization_id))


def member_project(request: Request, project_id: str) -> Project:
    """The project, if the person sees it, with `role` and `key_prefix`. Raises NotThere."""
    return visible_project(
        actor(request),
        project_id,
        among=Project.objects.with_role_of(actor(request)).with_key_prefix(now()),
        missing=NO_PROJECT,
    )
