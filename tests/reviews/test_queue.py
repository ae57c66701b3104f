"""The queue is fair, the same for all of a day, and ends."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from guardrails.reviews.models import Review, kept_name
from guardrails.reviews.pages import views
from guardrails.reviews.queue import LENGTH, queue_of
from guardrails.reviews.services import give_review
from guardrails.reviews.texts import Texts, texts_of
from projects.models import AuditEvent, Project
from tests.browser import signed_in
from tests.cast import Cast
from traces.store.queries.guardrail_sample import run_of_key

from .world import BUSY, ODD, PROMPT, RARE

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])


def queue_address(project: Project, query: str = "") -> str:
    return reverse("guardrail-review-queue", kwargs={"project_id": project.pk}) + query


def judge(client: Client, project: Project, key: str, verdict: str, **more: str) -> Any:
    address = reverse("guardrail-review-give", kwargs={"project_id": project.pk, "run": key})
    return client.post(address, {"verdict": verdict, **more})


def runs_of(cast: Cast, **wanted: Any) -> list[Any]:
    queue = queue_of(cast.project, cast.bob, timezone.now(), **wanted)
    return [run_of_key(cast.project.pk, key) for key in queue.keys]


def test_guardrails_outcomes_and_days_take_turns(cast: Cast) -> None:
    found = runs_of(cast)

    assert None not in found
    assert len({run.key for run in found}) == len(found)
    assert {run.guardrail for run in found[:3]} == {BUSY, RARE, ODD}  # 200, 4 and 1 run: each is among the first
    assert Counter(run.guardrail for run in found[:9]) == {BUSY: 4, RARE: 4, ODD: 1}
    days = Counter(run.start_ns // (86_400 * 10**9) for run in found if run.guardrail == RARE)
    assert list(days.values()) == [1, 1, 1, 1]
    busy = [run.outcome for run in found if run.guardrail == BUSY]
    assert abs(Counter(busy[:10])["blocked"] - 5) <= 1  # of 10 blocked and 190 that passed
    assert len(found) <= LENGTH


def test_it_is_the_same_for_all_of_a_day_and_another_on_the_next(cast: Cast) -> None:
    now = timezone.now()
    of_bob = queue_of(cast.project, cast.bob, now)
    of_alice = queue_of(cast.project, cast.alice, now)
    tomorrow = queue_of(cast.project, cast.bob, now + timedelta(days=1))

    assert of_bob.keys == of_alice.keys
    assert tomorrow.keys != of_bob.keys


def test_a_filter_leaves_the_rest_out(cast: Cast) -> None:
    assert {run.guardrail for run in runs_of(cast, guardrail=RARE)} == {RARE}
    assert {run.outcome for run in runs_of(cast, outcome="blocked")} == {"blocked"}
    assert len(runs_of(cast, guardrail=RARE, days=1)) == 1


def test_it_goes_on_to_the_next_until_nothing_is_left(bob: Client, cast: Cast) -> None:
    query = f"?guardrail={RARE}"
    seen = []
    address = queue_address(cast.project, query)
    for _turn in range(5):
        page = bob.get(address)
        if not page.context.get("run"):
            break
        seen.append(page.context["run"].key)
        answer = judge(bob, cast.project, seen[-1], "right", queue=query[1:])
        assert answer.status_code == 302
        address = answer["Location"]
        assert f"guardrail={RARE}" in address

    assert len(seen) == len(set(seen)) == 4
    assert "All of today" in page.content.decode()
    assert Review.objects.filter(reviewer=cast.bob, verdict="right").count() == 4
    # Two of a kind are enough, so a third person is not asked.
    for name in ("alice", "ann"):
        for key in seen:
            run = run_of_key(cast.project.pk, key)
            assert run is not None
            if name == "alice":
                give_review(project=cast.project, run=run, reviewer=cast.alice, verdict="wrong", note="")
    assert not queue_of(cast.project, cast.ann, timezone.now(), guardrail=RARE).open


def test_what_was_passed_over_comes_again_at_the_end(cast: Cast) -> None:
    queue = queue_of(cast.project, cast.bob, timezone.now(), guardrail=RARE)
    first, second, *_rest = queue.keys

    assert queue.candidates()[0] == first
    assert queue.candidates(after=first)[0] == second
    assert queue.candidates(after=queue.keys[-1])[0] == first
    assert queue.beside(first, -1) == queue.beside(queue.keys[-1], 1) == ""


def test_a_run_that_cannot_be_shown_is_passed_over(bob: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = queue_of(cast.project, cast.bob, timezone.now(), guardrail=RARE)
    whole = texts_of
    hidden = queue.keys[:2]
    monkeypatch.setattr(
        views, "texts_of", lambda project, run: Texts(is_gone=True) if run.key in hidden else whole(project, run)
    )

    assert bob.get(queue_address(cast.project, f"?guardrail={RARE}")).context["run"].key == queue.keys[2]
    named = bob.get(queue_address(cast.project, f"?guardrail={RARE}&run={hidden[0]}"))
    assert named.context["run"].key == queue.keys[2]
    monkeypatch.setattr(views, "texts_of", lambda project, run: Texts(problem="odd"))
    assert "cannot be shown" in bob.get(queue_address(cast.project)).content.decode()


def test_a_name_that_is_long_and_holds_nul_is_judged_like_any(bob: Client, cast: Cast) -> None:
    [key] = [run.key for run in runs_of(cast) if run.guardrail == ODD]
    page = bob.get(queue_address(cast.project, f"?run={key}"))
    assert PROMPT.replace("<b>", "&lt;b&gt;").replace("</b>", "&lt;/b&gt;") in page.content.decode()

    judge(bob, cast.project, key, "wrong", note="a question about routers")

    review = Review.objects.get()
    assert (review.guardrail, review.outcome, review.phase) == (kept_name(ODD), "blocked", "input")
    assert len(review.guardrail) <= 300
    assert "\0" not in review.guardrail
    assert kept_name(ODD) != kept_name(ODD + "er")
    read = AuditEvent.objects.filter(action="guardrail_text.read").latest("at")
    assert (read.actor, read.details["run"]) == (cast.bob, key)


@pytest.mark.parametrize(
    "query", ["?run=nonsense", "?run=1-0", "?after=%00", "?days=5", "?outcome=failed", f"?run={'9' * 50}"]
)
def test_addresses_of_strangers(bob: Client, cast: Cast, query: str) -> None:
    assert bob.get(queue_address(cast.project, query)).status_code in (200, 400)


def test_who_may_not_judge(cast: Cast) -> None:
    key = queue_of(cast.project, cast.bob, timezone.now()).keys[0]
    for name, status in (("bo", 403), ("charlie", 404)):
        client = signed_in(cast[name])
        assert client.get(queue_address(cast.project)).status_code == status
        assert judge(client, cast.project, key, "right").status_code == status
    assert not Review.objects.exists()
    run = reverse("guardrail-run", kwargs={"project_id": cast.project.pk, "run": key})
    shown = signed_in(cast.bo).get(run)
    assert not shown.context["texts"]
    assert "shown to owners, admins and developers" in shown.content.decode()
    assert not AuditEvent.objects.filter(actor=cast.bo, action="guardrail_text.read").exists()
