"""The first line of every page of a project, which remembers it: `/` leads to the project looked at last."""

from uuid import UUID

from django.http import HttpRequest

from .access import visible_project
from .models import Project

LAST_PROJECT = "project_id"  # session key


def open_project(request: HttpRequest, project_id: UUID) -> Project:
    """The project, if the user sees it; it becomes the one that `/` leads to. Raises NotThere."""
    project = visible_project(request.user, project_id)
    if request.session.get(LAST_PROJECT) != str(project.pk):
        request.session[LAST_PROJECT] = str(project.pk)
    return project


def last_project(request: HttpRequest) -> Project | None:
    """The project the user looked at last, else the first in alphabetical order, else None."""
    visible = Project.objects.visible_to(request.user)
    try:
        last = UUID(str(request.session.get(LAST_PROJECT)))
    except ValueError:
        return visible.first()
    return visible.filter(pk=last).first() or visible.first()
