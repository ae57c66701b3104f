"""What people decide about services that seem to report the same calls."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from projects.access import administered, person
from projects.opened import open_project
from traces.store.calls.leaving_out import decide
from traces.store.calls.records import Decision, SameCalls


@require_POST
@login_required
def decide_page(request: HttpRequest, project_id: UUID, pair_id: UUID) -> HttpResponse:
    """`leave_out` names a service; else `decision` says: different, or open again. Then to the overview."""
    project = administered(request.user, open_project(request, project_id))
    pair = SameCalls.objects.administered_by(request.user).of_project(project.pk).filter(pk=pair_id).first()
    if pair is None:
        raise Http404(_("There is no such pair of services in this project."))
    service = request.POST.get("leave_out", "")
    decision = Decision.LEFT_OUT if service else Decision.OPEN
    if request.POST.get("decision") == Decision.DIFFERENT:
        decision = Decision.DIFFERENT
    try:
        decide(pair=pair, decision=decision, service=service, actor=person(request.user))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("It is noted. What is stored is counted again in the background."))
    return redirect("overview", project_id=project.pk)
