"""Who may use an endpoint: permission classes. Which project a request may see is the first line of its view:
`visible_project(actor_of(request), …)` of projects/access.py.
"""

from django.utils.translation import gettext_lazy as _
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from projects.access import has_scope
from projects.credentials import Credential
from projects.models import KeyScope, User

from .actor import actor_of


class MayRead(BasePermission):
    """A signed-in user, or a key with the scope read. Nobody: 401; a key without the scope: 403."""

    message = _("This key may not read data: make one with the permission to read.")

    def has_permission(self, request: Request, view: APIView) -> bool:
        actor = actor_of(request)
        if isinstance(actor, Credential):
            return has_scope(actor, KeyScope.READ)
        return bool(actor and actor.is_authenticated)


class IsPerson(BasePermission):
    """A signed-in user. Nobody: 401; a key, if the view takes any: 403, whatever its scopes."""

    message = "This is for people: sign in, a key or token does not open it."

    def has_permission(self, request: Request, view: APIView) -> bool:
        actor = actor_of(request)
        return isinstance(actor, User) and actor.is_active


class MayReadPeopleChange(BasePermission):
    """Reading: a user, or a key with the scope read. Changing: a user. Nobody: 401; a key: 403."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        wanted: BasePermission = MayRead() if request.method in SAFE_METHODS else IsPerson()
        self.message = wanted.message  # type: ignore[attr-defined]
        return wanted.has_permission(request, view)
