"""Reviews of guardrail runs: what was said, the queue of what is to be judged, and one run with its buttons."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from projects.access import developed, may_administer, may_develop, person
from projects.models import Project
from projects.opened import open_project
from traces.pages.form_page import Answer, form_page
from traces.pages.store_errors import shows_store_errors
from traces.store.queries.guardrail_keys import is_run_key
from traces.store.queries.guardrail_sample import Run, run_of_key

from .. import services
from ..access import existing_run, may_read_texts, removable_review
from ..models import Review, kept_name
from ..precision import precisions
from ..queue import Queue, queue_of
from ..texts import Texts, texts_of
from .forms import QueueForm, ReviewFilter, VerdictForm
from .words import shown_precision

ROWS = 50


@form_page("guardrails/review_list.html", ReviewFilter)
def review_list(request: HttpRequest, project: Project, form: ReviewFilter) -> Answer:
    """Context: `form`, `period`, `page` of reviews, `has_any`, `names` of guardrails, `conflicts` (a number),
    `precision` of each guardrail, `may_review`, `may_administer`; 400 with the field named when the address does not
    fit.
    """
    period = form.period(project.pk)
    reviews = Review.objects.visible_to(request.user).of_project(project.pk)
    in_range = reviews.of_runs_between(period.scope.start, period.scope.end)
    wanted = form.wanted
    rows = in_range.in_conflict() if wanted.pop("conflict", "") else in_range
    rows = rows.filter(**{name: kept_name(value) for name, value in wanted.items()})
    rows = rows.with_conflict().select_related("reviewer")
    found = precisions(period.scope)
    return {
        "period": period,
        "page": Paginator(rows, ROWS).get_page(form.cleaned_data["page"] or 1),
        "has_any": in_range.exists(),
        "names": list(in_range.order_by("guardrail").values_list("guardrail", flat=True).distinct()[:200]),
        "conflicts": in_range.in_conflict().order_by().values("run_key").distinct().count(),
        "precision": [(each, shown_precision(each)) for each in found],
        "may_review": may_develop(request.user, project),
        "may_administer": may_administer(request.user, project),
        "export_address": f"{reverse('api-guardrail-review-export', kwargs={'project_id': project.pk})}"
        f"?{urlencode({'start': period.scope.start.isoformat(), 'end': period.scope.end.isoformat()})}",
    }


@never_cache
@require_GET
@login_required
@shows_store_errors
def review_queue(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Context: that of a run (`_run_context`), or `queue` alone when nothing is left; 400 for an unfit address.

    `after`: a run that was judged or passed over; a run that cannot be shown is never offered.
    """
    project = open_project(request, project_id)
    request.open_project = project  # type: ignore[attr-defined]
    developed(request.user, project)
    form = QueueForm(request.GET)
    context: dict[str, Any] = {"project": project, "form": form}
    if not form.is_valid():
        return render(request, "guardrails/review_queue.html", context, status=400)
    queue = queue_of(project, person(request.user), timezone.now(), **form.wanted())
    chosen = form.cleaned_data["run"]
    if chosen and not is_run_key(chosen):
        chosen = ""
    found = _first_shown(project, [chosen] if chosen else [])
    if chosen and found is None:
        messages.info(request, _("That check is kept no more: here is the next."))
    found = found or _first_shown(project, queue.candidates(form.cleaned_data["after"] or chosen))
    context |= {"queue": queue, "may_review": True}
    if found is not None:
        context |= _run_context(request, project, *found) | _neighbours(queue, found[0], form)
    return render(request, "guardrails/review_queue.html", context)


@never_cache
@require_GET
@login_required
@shows_store_errors
def run_page(request: HttpRequest, project_id: UUID, run: str) -> HttpResponse:
    """Context: that of a run (`_run_context`), `may_review`."""
    project = open_project(request, project_id)
    request.open_project = project  # type: ignore[attr-defined]
    found = existing_run(project, run)
    texts = texts_of(project.pk, found) if may_read_texts(request.user, project) else Texts()
    context = {
        "project": project,
        "may_review": may_develop(request.user, project),
        **_run_context(request, project, found, texts),
    }
    return render(request, "guardrails/run.html", context)


@require_POST
@login_required
@shows_store_errors
def review_give(request: HttpRequest, project_id: UUID, run: str) -> HttpResponse:
    """`verdict`, `note`; with `queue` (the query string of the queue's filter) on to the next one, else to the run."""
    project = open_project(request, project_id)
    request.open_project = project  # type: ignore[attr-defined]
    developed(request.user, project)
    found = existing_run(project, run)
    form = VerdictForm(request.POST)
    here = reverse("guardrail-run", kwargs={"project_id": project.pk, "run": run})
    in_queue = request.POST.get("queue")
    if not form.is_valid():
        for faults in form.errors.values():
            messages.error(request, " ".join(map(str, faults)))
        return redirect(_queue_address(project, in_queue, run=run) if in_queue is not None else here)
    services.give_review(project=project, run=found, reviewer=person(request.user), **form.cleaned_data)
    if in_queue is not None:
        return redirect(_queue_address(project, in_queue, after=run))
    messages.success(request, _("Saved."))
    return redirect(here)


@require_POST
@login_required
def review_delete(request: HttpRequest, project_id: UUID, review_id: UUID) -> HttpResponse:
    project = open_project(request, project_id)
    review = removable_review(request.user, project, review_id)
    services.delete_review(review=review, actor=person(request.user))
    messages.success(request, _("The review is removed."))
    address = reverse("guardrail-reviews", kwargs={"project_id": project.pk})
    kept = _only(ReviewFilter, request.POST.get("list", ""))
    return redirect(f"{address}?{kept}" if kept else address)


def _first_shown(project: Project, keys: list[str]) -> tuple[Run, Texts] | None:
    """The first of the runs whose text can be shown: others would come back for ever. As many are looked at as the
    queue is long.
    """
    for key in keys:
        run = run_of_key(project.pk, key)
        texts = texts_of(project.pk, run) if run else None
        if run and texts and not texts.is_gone and not texts.problem:
            return run, texts
    return None


def _run_context(request: HttpRequest, project: Project, run: Run, texts: Texts) -> dict[str, Any]:
    """`run`, `trace_address` ("": of an id that no address takes), `texts` (none for who may not read them, and every
    look is written down), `may_read`, `reviews` of the run, `mine` (the reader's own one or None), `is_in_conflict`.
    """
    may_read = may_read_texts(request.user, project)
    if may_read and texts:
        services.note_text_read(project=project, run=run, actor=person(request.user))
    seen = Review.objects.visible_to(request.user).of_project(project.pk)
    reviews = list(seen.of_run(run.key).with_conflict().select_related("reviewer"))
    return {
        "run": run,
        "trace_address": _trace_address(project, run),
        "texts": texts if may_read else Texts(),
        "may_read": may_read,
        "reviews": reviews,
        "mine": next((each for each in reviews if each.reviewer_id == request.user.pk), None),
        "is_in_conflict": any(each.is_in_conflict for each in reviews),  # type: ignore[attr-defined]
    }


def _trace_address(project: Project, run: Run) -> str:
    try:
        address = reverse("trace-detail", kwargs={"project_id": project.pk, "trace_id": run.trace_id})
    except NoReverseMatch:
        return ""
    return f"{address}?{urlencode({'span': run.span_id})}"


def _neighbours(queue: Queue, run: Run, form: QueueForm) -> dict[str, Any]:
    """Addresses of the runs beside, "" at the ends; the filter as the verdict carries it; place in the queue."""
    kept = form.kept_address.removeprefix("?")

    def beside(step: int) -> str:
        key = queue.beside(run.key, step)
        return f"?{kept}{'&' if kept else ''}run={key}" if key else ""

    place = queue.keys.index(run.key) + 1 if run.key in queue.keys else None
    return {"previous": beside(-1), "following": beside(1), "kept": kept, "place": place, "in_queue": True}


def _queue_address(project: Project, text: str, **more: str) -> str:
    """With nothing of `text` but the filter of a queue."""
    kept = QueryDict(_only(QueueForm, text), mutable=True)
    for name in ("run", "after"):
        kept.pop(name, None)
    for name, value in more.items():
        kept[name] = value
    return f"{reverse('guardrail-review-queue', kwargs={'project_id': project.pk})}?{kept.urlencode()}"


def _only(form: type[QueueForm] | type[ReviewFilter], text: str) -> str:
    """Of a query string what the form knows."""
    given = QueryDict(text)
    return urlencode({name: given[name] for name in form.base_fields if given.get(name)})
