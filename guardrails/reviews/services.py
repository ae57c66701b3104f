"""Giving, changing and removing reviews. Each is one transaction that writes who did it.

That the actor may do it is the caller's matter (access.py).
"""

from typing import Any

from django.db import transaction

from agentops_portal.units import datetime_of
from projects.models import Project, User
from projects.services import record
from traces.store.queries.guardrail_sample import Run

from .models import Review, kept_name


def frozen(run: Run) -> dict[str, Any]:
    """The fields of a review that say what was judged."""
    return {
        "guardrail": kept_name(run.guardrail),
        "mode": kept_name(run.mode),
        "phase": run.phase,
        "outcome": run.outcome,
        "service": kept_name(run.service),
        "trace_id": kept_name(run.trace_id),
        "span_id": kept_name(run.span_id),
        "started_at": datetime_of(run.start_ns),
        "duration_ns": run.duration_ns,
    }


@transaction.atomic
def give_review(*, project: Project, run: Run, reviewer: User, verdict: str, note: str) -> tuple[Review, bool]:
    """The reviewer's one review of the run, and whether it is new: a second one changes the first."""
    given = {"verdict": verdict, "note": note}
    review, is_new = Review.objects.get_or_create(
        project=project, run_key=run.key, reviewer=reviewer, defaults={**given, **frozen(run)}
    )
    if is_new:
        _record("review.given", review, reviewer, verdict=verdict)
    else:
        change_review(review=review, actor=reviewer, **given)
    return review, is_new


@transaction.atomic
def change_review(*, review: Review, actor: User, verdict: str | None = None, note: str | None = None) -> None:
    """Change what is given; what was judged stays as it was."""
    wanted = {name: value for name, value in (("verdict", verdict), ("note", note)) if value is not None}
    changed = sorted(name for name, value in wanted.items() if getattr(review, name) != value)
    if not changed:
        return
    before = review.verdict
    for name in changed:
        setattr(review, name, wanted[name])
    review.save(update_fields=[*changed, "updated_at"])
    _record("review.changed", review, actor, changed=changed, before=before, verdict=review.verdict)


@transaction.atomic
def delete_review(*, review: Review, actor: User) -> None:
    _record("review.deleted", review, actor, verdict=review.verdict)
    review.delete()


def note_text_read(*, project: Project, run: Run, actor: User | None, **by: Any) -> None:
    """That somebody looked at what a guardrail had looked at."""
    record(
        "guardrail_text.read",
        actor=actor,
        project=project,
        target=kept_name(run.guardrail),
        run=run.key,
        trace_id=kept_name(run.trace_id),
        **by,
    )


def _record(action: str, review: Review, actor: User, **details: Any) -> None:
    ids: dict[str, Any] = {"review": str(review.pk), "run": review.run_key, "trace_id": review.trace_id}
    record(action, actor=actor, project=review.project, target=review.guardrail, **ids, **details)
