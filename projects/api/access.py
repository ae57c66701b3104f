"""Who may use an endpoint (permission classes), and which project a request may see (the first line of its view)."""

from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotFound
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from projects.credentials import Credential
from projects.models import KeyScope, Project, User


class MayRead(BasePermission):
    """A signed-in user, or a key with the scope read. Nobody: 401; a key without the scope: 403."""

    message = _("This key may not read data: make one with the permission to read.")

    def has_permission(self, request: Request, view: APIView) -> bool:
        if isinstance(request.auth, Credential):
            return KeyScope.READ in request.auth.scopes
        return bool(request.user and request.user.is_authenticated)


class IsPerson(BasePermission):
    """A signed-in user. Nobody: 401; a key, if the view takes any: 403, whatever its scopes."""

    message = "This is for people: sign in, a key or token does not open it."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.user, User) and request.user.is_active


def readable_project(request: Request, project_id: UUID) -> Project:
    """The project, if the user sees it or the key belongs to it. Raises NotFound, whoever else's it is."""
    if isinstance(request.auth, Credential):
        visible = Project.objects.active().filter(pk=request.auth.project_id)
    else:
        visible = Project.objects.visible_to(request.user)
    project = visible.filter(pk=project_id).first()
    if project is None:
        raise NotFound(_("There is no such project."))
    return project
