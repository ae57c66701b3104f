"""What the pages of a project have in common whose address a form reads."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar
from uuid import UUID

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from projects.opened import open_project
from traces.store.queries.trace_list import newest_trace

from .first_steps import show_first_steps
from .store_errors import shows_store_errors

F = TypeVar("F", bound=forms.Form)
Answer = HttpResponse | Mapping[str, Any]
View = Callable[..., Answer]  # of the request, the project, the form and what else the path names


def form_page(template: str, form_class: type[F]) -> Callable[[View], Callable[..., HttpResponse]]:
    """A view of a project and the valid form, which gives what `template` needs besides the two, or a whole answer.

    With `is_empty` among it there is nothing to show: the page gets the project's `newest` trace, to look at that, and
    a project without one its first steps. Without the view's doing, too: 404 for a project of others, 503 when
    ClickHouse does not answer, 400 and the field named when the address does not fit.
    """

    def decorated(view: View) -> Callable[..., HttpResponse]:
        @require_GET
        @login_required
        @shows_store_errors
        @wraps(view)
        def page(request: HttpRequest, project_id: UUID, **named: str) -> HttpResponse:
            project = open_project(request, project_id)
            request.open_project = project  # type: ignore[attr-defined]
            form = form_class(request.GET)
            context: dict[str, object] = {"project": project, "form": form}
            if not form.is_valid():
                return render(request, template, context, status=400)
            answer = view(request, project, form, **named)
            if isinstance(answer, HttpResponse):
                return answer
            if answer.get("is_empty"):
                context["newest"] = newest_trace(project.pk)
                if context["newest"] is None:
                    return show_first_steps(request, project)
            return render(request, template, {**context, **answer})

        return page

    return decorated
