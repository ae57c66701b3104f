"""The first line of every view of a project: who may not know of it gets 404, who may only read it gets 403."""

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _

from .models import Project, User

LAST_PROJECT = "project_id"  # session key


def open_project(request: HttpRequest, project_id: UUID) -> Project:
    """The project, if the user sees it; it becomes the one that `/` leads to. Raises Http404."""
    project = Project.objects.visible_to(request.user).select_related("organization").filter(pk=project_id).first()
    if project is None:
        raise Http404(_("There is no such project."))
    if request.session.get(LAST_PROJECT) != str(project.pk):
        request.session[LAST_PROJECT] = str(project.pk)
    return project


def administered_project(request: HttpRequest, project_id: UUID) -> Project:
    """The project, if the user may change it. Raises Http404 or, for a member with a lower role, PermissionDenied."""
    project = open_project(request, project_id)
    if not may_administer(request, project):
        raise PermissionDenied(_("Only owners and admins of the organization may do this."))
    return project


def may_administer(request: HttpRequest, project: Project) -> bool:
    return Project.objects.administered_by(request.user).filter(pk=project.pk).exists()


def person(request: HttpRequest) -> User:
    """Who asks. `login_required` has seen to it that it is a person."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def last_project(request: HttpRequest) -> Project | None:
    """The project the user looked at last, else the first in alphabetical order, else None."""
    visible = Project.objects.visible_to(request.user)
    try:
        last = UUID(str(request.session.get(LAST_PROJECT)))
    except ValueError:
        return visible.first()
    return visible.filter(pk=last).first() or visible.first()
