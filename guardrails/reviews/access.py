"""Reviews as an actor finds them: who sees the project sees them; who develops it gives them and reads texts; one's own
are changed and removed, those of others only by owners and admins.
"""

from uuid import UUID

from django.utils.translation import gettext as _

from agentops_portal.refusals import NotAllowed, NotThere
from projects.access import developed, may_administer, may_develop
from projects.credential_cache import Credential
from projects.models import Project
from projects.querysets import Actor
from traces.store.queries.guardrail_keys import is_run_key, start_of_key
from traces.store.queries.guardrail_sample import Run, run_of_key

from .models import Review


def may_read_texts(actor: Actor, project: Project) -> bool:
    """What prompts and answers say: owners, admins and developers, and keys, whose scope the door has looked at."""
    return isinstance(actor, Credential) or may_develop(actor, project)


def existing_run(project: Project, key: str) -> Run:
    """As the ledger has it or, when it is kept no more, as it was judged. Raises NotThere, also for a text that is no
    key.
    """
    if is_run_key(key):
        if run := run_of_key(project.pk, key):
            return run
        if review := Review.objects.of_project(project.pk).of_run(key).first():
            return _as_judged(review)
    raise NotThere(_("There is no such check, or its time to be kept is over."))


def _as_judged(review: Review) -> Run:
    names = ("trace_id", "span_id", "guardrail", "mode", "phase", "outcome", "service", "duration_ns")
    values = {name: getattr(review, name) for name in names}
    return Run(key=review.run_key, start_ns=start_of_key(review.run_key), **values)


def visible_review(actor: Actor, project: Project, review_id: UUID) -> Review:
    """Raises NotThere."""
    rows = Review.objects.visible_to(actor).of_project(project.pk).with_conflict()
    review = rows.select_related("reviewer", "project__organization").filter(pk=review_id).first()
    if review is None:
        raise NotThere(_("There is no such review."))
    return review


def own_review(actor: Actor, project: Project, review_id: UUID) -> Review:
    """One that the actor gave. Raises NotThere and NotAllowed."""
    review = visible_review(actor, project, review_id)
    developed(actor, project)
    if isinstance(actor, Credential) or review.reviewer_id != actor.pk:
        raise NotAllowed(_("Only who gave a review may change it."))
    return review


def removable_review(actor: Actor, project: Project, review_id: UUID) -> Review:
    """One that the actor gave, or any for owners and admins. Raises NotThere and NotAllowed."""
    review = visible_review(actor, project, review_id)
    return review if may_administer(actor, project) else own_review(actor, project, review_id)
