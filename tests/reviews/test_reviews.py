"""What reviews say together, who sees them where, and when they go."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from agentops_portal.clickhouse.gate import Scope
from guardrails.reviews.models import Review
from guardrails.reviews.precision import Precision, precisions, wilson
from guardrails.reviews.services import give_review
from projects.models import AuditEvent, Project, User
from projects.services import create_api_key
from tests.browser import signed_in
from tests.cast import Cast
from tests.pages.spans import trace_id
from traces.lifecycle.erasure.records import ErasureKind
from traces.lifecycle.erasure.rows import in_postgres
from traces.lifecycle.erasure.services import request_erasure
from traces.store.queries.guardrail_pages import RunFilter, run_page
from traces.store.queries.guardrail_sample import Run, run_of_key

from .world import BUSY, ODD, PROMPT, RARE

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])


def week(project: Project) -> Scope:
    now = timezone.now()
    return Scope(project.pk, now - timedelta(days=7), now + timedelta(minutes=5))


def runs(project: Project, guardrail: str, outcome: str = "") -> list[Run]:
    found = run_page(week(project), RunFilter(guardrail=guardrail, outcome=outcome), None, 30)
    whole = [run_of_key(project.pk, each.key) for each in found]
    assert all(whole)
    return whole  # type: ignore[return-value]


def say(project: Project, run: Run, reviewer: User, verdict: str, note: str = "") -> Review:
    return give_review(project=project, run=run, reviewer=reviewer, verdict=verdict, note=note)[0]


def made_up(project: Project, number: int, reviewer: User, verdict: str, outcome: str = "blocked") -> None:
    """Of a run that never was: precision asks PostgreSQL alone."""
    start = int(timezone.now().timestamp()) * 10**9 - number
    run = Run(f"{start}-{number:032x}", trace_id(number), "1", "pii", "", "input", outcome, "", start, 1)
    say(project, run, reviewer, verdict)


@pytest.mark.parametrize(
    ("hits", "total", "low", "high"),
    [(0, 20, 0.0, 0.1611), (20, 20, 0.8389, 1.0), (18, 20, 0.6990, 0.9721), (50, 100, 0.4038, 0.5962)],
)
def test_the_interval_is_wilsons(hits: int, total: int, low: float, high: float) -> None:
    assert wilson(hits, total) == pytest.approx((low, high), abs=1e-4)


def test_of_few_reviews_no_share_is_told(cast: Cast) -> None:
    for number in range(19):
        made_up(cast.project, number, cast.bob, "right")
    assert [(each.judged, each.value, each.interval) for each in precisions(week(cast.project))] == [(19, None, None)]
    made_up(cast.project, 20, cast.bob, "wrong")
    made_up(cast.project, 21, cast.bob, "unsure")
    made_up(cast.project, 22, cast.bob, "wrong", outcome="allowed")  # the guardrail did not step in
    [found] = precisions(week(cast.project))
    assert (found.right, found.wrong, found.value) == (19, 1, 0.95)

    address = f"/api/v1/projects/{cast.project.pk}/guardrails/precision"
    [row] = signed_in(cast.bo).get(address).json()["guardrails"]
    assert (row["precision"], round(row["low"], 3), round(row["high"], 3)) == (0.95, 0.764, 0.991)


def test_each_check_counts_once_and_disagreement_is_a_conflict(cast: Cast, bob: Client) -> None:
    agreed, disputed, doubted = runs(cast.project, BUSY, "blocked")[:3]
    for run, first, second in ((agreed, "right", "right"), (disputed, "right", "wrong"), (doubted, "wrong", "unsure")):
        say(cast.project, run, cast.bob, first)
        say(cast.project, run, cast.alice, second)

    assert precisions(week(cast.project)) == [Precision(BUSY, right=1, wrong=1, conflicts=1)]
    address = reverse("guardrail-reviews", kwargs={"project_id": cast.project.pk})
    page = bob.get(f"{address}?range=24h&outcome=blocked")
    assert (page.context["conflicts"], len(page.context["page"].object_list)) == (1, 6)
    assert "range=24h&outcome=blocked&conflict=yes" in page.context["form"].only_conflicts.replace("&amp;", "&")
    conflicts = bob.get(address + page.context["form"].only_conflicts)
    assert {review.run_key for review in conflicts.context["page"]} == {disputed.key}
    assert "not enough reviews (2 of 20)" in conflicts.content.decode()
    long_ago = bob.get(f"{address}?start=2026-01-01&end=2026-01-02").content.decode()
    assert "No check of this time range was reviewed" in long_ago
    overview = bob.get(reverse("guardrails", kwargs={"project_id": cast.project.pk})).context["guardrails"]
    [table] = [each for each in overview.tables if each.id == "precision"]
    assert (table.rows[0].name, table.rows[0].values[0]) == (BUSY, "not enough reviews (2 of 20)")


def test_a_second_review_of_a_person_changes_the_first(cast: Cast) -> None:
    run = runs(cast.project, RARE)[0]
    say(cast.project, run, cast.bob, "right", "sure")
    say(cast.project, run, cast.bob, "wrong", "looked again")

    review = Review.objects.get()
    assert (review.verdict, review.note, review.guardrail, review.outcome) == ("wrong", "looked again", RARE, "flagged")
    actions = AuditEvent.objects.filter(project=cast.project).order_by("at").values_list("action", flat=True)
    assert list(actions) == ["review.given", "review.changed"]


def test_the_api_from_the_list_of_runs_to_the_test_set(cast: Cast, bob: Client) -> None:
    api = f"/api/v1/projects/{cast.project.pk}/guardrails"
    [run] = bob.get(f"{api}/runs", {"outcome": "blocked", "trace_id": trace_id(400)}).json()["results"]
    sent: dict[str, Any] = {"content_type": "application/json"}

    made = bob.post(f"{api}/reviews", {"run": run["id"], "verdict": "wrong", "note": "harmless"}, **sent)
    assert (made.status_code, made.json()["outcome"], made.json()["in_conflict"]) == (201, "blocked", False)
    address = f"{api}/reviews/{made.json()['id']}"
    assert bob.patch(address, {"note": "quite harmless"}, **sent).json()["note"] == "quite harmless"
    assert [each["id"] for each in bob.get(f"{api}/reviews", {"run": run["id"]}).json()["results"]] == [
        made.json()["id"]
    ]
    assert bob.post(f"{api}/reviews", {"run": "1-2", "verdict": "right"}, **sent).status_code == 400
    assert bob.post(f"{api}/reviews", {"run": f"1-{'0' * 32}", "verdict": "right"}, **sent).status_code == 404
    assert bob.post(f"{api}/reviews", {"run": run["id"], "verdict": "right", "note": "\0"}, **sent).status_code == 400

    [case] = lines(bob.get(f"{api}/reviews/export"))
    assert (case["text_status"], case["expected"], case["notes"]) == ("complete", "allowed", ["quite harmless"])
    assert PROMPT in case["text"]
    [hidden] = lines(signed_in(cast.bo).get(f"{api}/reviews/export"))
    assert (hidden["text"], hidden["text_status"]) == (None, "redacted")
    key = create_api_key(project=cast.project, name="read", scopes=["read"])
    [by_key] = lines(Client(headers={"x-api-key": key.secret}).get(f"{api}/reviews/export"))
    assert by_key == case
    exports = AuditEvent.objects.filter(action="guardrail_reviews.exported").order_by("at")
    assert [each.details["with_text"] for each in exports] == [True, False, True]
    say(cast.project, runs(cast.project, ODD)[0], cast.alice, "right")  # no false positive that all agree on
    assert lines(bob.get(f"{api}/reviews/export")) == []

    assert bob.delete(address).status_code == 204
    assert Review.objects.count() == 1


def lines(answer: Any) -> list[Any]:
    return [json.loads(line) for line in b"".join(answer.streaming_content).splitlines()]


def test_what_was_judged_outlives_its_span(cast: Cast, bob: Client) -> None:
    made_up(cast.project, 7, cast.alice, "right")
    review = Review.objects.get()
    address = reverse("guardrail-run", kwargs={"project_id": cast.project.pk, "run": review.run_key})

    assert "kept no more" in bob.get(address).content.decode()
    bob.post(f"{address}review/", {"verdict": "wrong", "note": ""})
    assert Review.objects.in_conflict().count() == 2
    [row] = signed_in(cast.root).get("/admin/guardrails/review/?q=alice@example.com").context["cl"].result_list
    assert row == review


def test_reviews_go_with_the_traces_of_a_user_and_with_the_project(cast: Cast) -> None:
    first, second = runs(cast.project, RARE)[:2]
    say(cast.project, first, cast.bob, "right")
    say(cast.project, second, cast.bob, "right")
    request_erasure(project=cast.project, kind=ErasureKind.TRACE, value=first.trace_id, actor=cast.alice)

    rows = in_postgres(cast.project.pk, [first.trace_id])["guardrail_reviews"]
    assert [each.run_key for each in rows] == [first.key]
    rows.delete()
    assert Review.objects.get().run_key == second.key
    cast.bob.delete()
    assert Review.objects.get().reviewer is None  # what somebody said stays when they leave
    Project.objects.filter(pk=cast.project.pk).delete()
    assert not Review.objects.exists()
