"""Who may change what: people, by their role."""

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from rest_framework import serializers
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from projects.api.access import IsPerson, MayRead
from projects.models import Organization, Project, Role, User


class MayReadPeopleChange(BasePermission):
    """Reading: a user, or a key with the scope read. Changing: a user. Nobody: 401; a key: 403."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        wanted: BasePermission = MayRead() if request.method in SAFE_METHODS else IsPerson()
        self.message = wanted.message  # type: ignore[attr-defined]
        return wanted.has_permission(request, view)


def person(request: Request) -> User:
    """Who asks. The permission class has seen to it that it is a person."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def administered_project(request: Request, project_id: UUID) -> Project:
    """The project, if the user may change it. Raises NotFound, or PermissionDenied for a member with a lower role."""
    project = Project.objects.visible_to(request.user).select_related("organization").filter(pk=project_id).first()
    if project is None:
        raise NotFound("There is no such project.")
    if not Project.objects.administered_by(request.user).filter(pk=project.pk).exists():
        raise PermissionDenied("Only owners and admins of the organization may do this.")
    return project


def check_administrator(request: Request, project_id: UUID, **_: Any) -> None:
    """Raises as `administered_project`, which says more than a repeated request needs."""
    administered_project(request, project_id)


def owned_project(request: Request, project_id: UUID) -> Project:
    """The project, if the user owns its organization. Raises as `administered_project`."""
    project = administered_project(request, project_id)
    if not _owns(person(request), project):
        raise PermissionDenied("Only owners of the organization may do this.")
    return project


def check_owner(request: Request, project_id: UUID) -> None:
    """Whether the user owns the organization of the project, deleted or not. Raises as `owned_project`."""
    project = Project.objects.select_related("organization").filter(pk=project_id).first()
    visible = Organization.objects.visible_to(request.user)
    if project is None or not visible.filter(pk=project.organization_id).exists():
        raise NotFound("There is no such project.")
    if not _owns(person(request), project):
        raise PermissionDenied("Only owners of the organization may do this.")


def _owns(user: User, project: Project) -> bool:
    return user.is_superuser or project.organization.memberships.filter(user=user, role=Role.OWNER).exists()


def faults_of(error: ValidationError) -> serializers.ValidationError:
    """What a service found wrong, as the API says it: by field where it names one."""
    faults = error.message_dict if hasattr(error, "error_dict") else {"detail": error.messages}
    return serializers.ValidationError({"detail" if name == "__all__" else name: each for name, each in faults.items()})
