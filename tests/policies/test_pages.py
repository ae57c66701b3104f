"""What people do with policies and incidents in the browser and over the API, and who may."""

from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from guardrails.incidents import changes
from guardrails.incidents.models import Contact, Incident, Notice
from guardrails.policies.evaluation import evaluate_due
from guardrails.policies.models import Policy
from guardrails.policies.sample import make_sample
from projects.services import create_api_key
from tests.browser import signed_in
from tests.cast import Cast

from .world import at, policy, start_clock

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])


class Form(HTMLParser):
    """What a browser would send of the form with this id."""

    def __init__(self, html: str, form_id: str) -> None:
        super().__init__()
        self.sent: dict[str, list[str]] = {}
        self._id, self._is_in, self._select, self._first, self._has_chosen = form_id, False, "", "", False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        name = values.get("name") or ""
        if tag == "form":
            self._is_in = values.get("id") == self._id
        elif not self._is_in:
            return
        elif tag == "select":
            self._select, self._first, self._has_chosen = name, "", False
        elif tag == "option" and self._select:
            self._first = self._first or f"={values.get('value') or ''}"
            if "selected" in values:
                self._has_chosen = True
                self._add(self._select, values.get("value") or "")
        elif name and (values.get("type") not in ("checkbox", "radio") or "checked" in values):
            self._add(name, values.get("value") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "select" and self._select:
            if not self._has_chosen:
                self._add(self._select, self._first[1:])
            self._select = ""

    def _add(self, name: str, value: str) -> None:
        self.sent.setdefault(name, []).append(value)


def page(cast: Cast, name: str, *arguments: Any) -> str:
    return reverse(name, args=(cast.project.pk, *arguments))


def test_a_policy_is_tried_made_muted_changed_and_removed(cast: Cast) -> None:
    ann = signed_in(cast.ann)
    shown = ann.get(page(cast, "policy-new")).content.decode()
    filled = Form(shown, "policy-form").sent | {"name": ["Ours"], "slack": ["https://hooks.slack.com/services/T/B/x"]}

    made = ann.post(page(cast, "policy-new"), filled)

    assert (made.status_code, made["Location"]) == (302, page(cast, "policy-list"))
    found = Policy.objects.get()
    assert (found.kind, found.window, float(found.threshold), found.min_volume) == ("error_rate", "1h", 0.1, 10)
    assert (found.weekdays, found.from_hour, found.until_hour) == ([1, 2, 3, 4, 5, 6, 7], 0, 24)
    assert [each.shown for each in found.contacts.all()] == ["ann@example.com", "https://hooks.slack.com/…/B/x"]
    one = page(cast, "policy", found.pk)
    filled = Form(ann.get(one).content.decode(), "policy-form").sent
    assert filled["threshold"] == ["10"]
    ann.post(one, filled | {"threshold": ["12.5"], "kind": ["coverage"], "weekdays": ["5", "1", "1"]})
    found.refresh_from_db()
    assert found.weekdays == [1, 5]
    assert (found.kind, float(found.threshold), found.contacts.count()) == ("coverage", 0.125, 2)
    fault = ann.post(one, filled | {"threshold": ["101"]})
    assert fault.status_code == 422
    assert "A share is not above 100 %." in fault.content.decode()
    ann.post(page(cast, "policy-mute", found.pk), {"hours": "4"})
    assert "Muted until" in ann.get(page(cast, "policy-list")).content.decode()
    ann.post(page(cast, "policy-unmute", found.pk))
    found.refresh_from_db()
    assert found.muted_until is None
    ann.post(page(cast, "policy-delete", found.pk))
    assert (Policy.objects.count(), Contact.objects.count()) == (0, 2)


def test_the_simulation_beside_the_form(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guardrails.policies.pages.views.database_now", lambda: at(35))
    ann = signed_in(cast.ann)
    filled = Form(ann.get(page(cast, "policy-new")).content.decode(), "policy-form").sent
    wanted = filled | {"window": ["5m"], "threshold": ["50"], "min_volume": ["5"], "resolve_at": ["20"], "days": ["1"]}

    tried = ann.post(page(cast, "policy-simulate"), wanted, headers={"X-Fragment": "1"}).content.decode()

    assert "<html" not in tried
    assert "1 incident " in " ".join(tried.split())
    assert "2026-11-23 11:13" in tried
    assert "2026-11-23 11:19" in tried
    assert 'data-chart="figure-data"' in tried
    whole = ann.post(page(cast, "policy-simulate"), filled | {"kind": ["no such"]}).content.decode()
    assert "<html" in whole
    assert "no such" in whole


def test_an_incident_on_its_page(cast: Cast) -> None:
    of = policy(cast, "error_rate", cast.alice, threshold="0.5", resolve_at="0.2", min_volume=5, name="Errors")
    start_clock(12)
    evaluate_due(at(14))
    incident = Incident.objects.get()
    bo, bob = signed_in(cast.bo), signed_in(cast.bob)
    one = page(cast, "incident-detail", incident.pk)

    read = bo.get(one).content.decode()

    assert "80.0 %" in read
    assert "Error rate ≥ 50.0 % within 5 minutes" in read
    assert "Acknowledge" not in read
    assert "traces/?start=2026-11-23T11:08:00Z&amp;end=2026-11-23T11:14:00Z&amp;status=error" in read
    assert bo.post(page(cast, "incident-resolve", incident.pk)).status_code == 403
    bob.post(page(cast, "incident-acknowledge", incident.pk), {"note": "<b>looking</b>"})
    done = bob.get(one).content.decode()
    assert "&lt;b&gt;looking&lt;/b&gt;" in done
    assert "by bob@example.com" in done
    bob.post(page(cast, "incident-resolve", incident.pk))
    assert Notice.objects.count() == 2  # alice heard that it opened, and hears that it ended
    listed = bo.get(page(cast, "incident-list"), {"state": "resolved", "policy": str(of.pk)}).content.decode()
    assert "Resolved" in listed
    assert "No incident fits" in bo.get(page(cast, "incident-list"), {"state": "going_on"}).content.decode()
    assert bo.get(page(cast, "incident-list"), {"state": "x"}).status_code == 400
    assert signed_in(cast.charlie).get(one).status_code == 404


def test_policies_and_incidents_by_the_api(cast: Cast) -> None:
    base = f"/api/v1/projects/{cast.project.pk}"
    ann, bob = signed_in(cast.ann), signed_in(cast.bob)
    body = {"name": "Day", "kind": "cost_budget", "window": "day", "threshold": 10, "warn_at": "8.5"}

    refused = ann.post(f"{base}/policies", {**body, "emails": ["nobody@example.com"]}, "application/json")
    assert (refused.status_code, Policy.objects.exists()) == (400, False)
    made = ann.post(f"{base}/policies", {**body, "emails": ["bob@example.com"]}, "application/json")

    assert made.status_code == 201
    told = made.json()
    wanted = {
        "covers": "project",
        "dimension": "project",
        "threshold": "10",
        "warn_at": "8.5",
        "contacts": {"email": 1},
    }
    assert {name: told[name] for name in wanted} == wanted
    one = f"{base}/policies/{told['id']}"
    until = "2030-01-01T00:00:00Z"
    changed = ann.patch(one, {"dimension": "user", "muted_until": until}, "application/json").json()
    assert (changed["dimension"], changed["muted_until"]) == ("user", until)
    faults = [
        ({"window": "5m"}, "window"),
        ({"warn_at": 10}, "warn_at"),
        ({"emails": ["charlie@example.com"]}, "emails"),
        ({"kind": "error_rate", "window": "5m"}, "dimension"),
    ]
    for change, field in faults:
        fault = ann.patch(one, change, "application/json")
        assert (fault.status_code, field in fault.json()) == (400, True)
    changes.open_incident(
        policy=Policy.objects.get(),
        project=cast.project,
        subject="u1",
        severity="warning",
        value="9",  # type: ignore[arg-type]
        threshold="8.5",  # type: ignore[arg-type]
        window_start=at(0),
        moment=at(10),
    )
    key = Client(headers={"x-api-key": create_api_key(project=cast.project, name="k").secret})
    [listed] = key.get(f"{base}/incidents?state=open&kind=cost_budget").json()["results"]
    assert (listed["subject"], listed["value"], listed["threshold"]) == ("u1", "9", "8.5")
    assert listed["traces_url"].endswith("&llm=1&user=u1")
    incident = f"{base}/incidents/{listed['id']}"
    assert key.post(f"{incident}/acknowledge", {}, "application/json").status_code == 403
    assert bob.post(f"{incident}/acknowledge", {"note": "mine"}, "application/json").json()["state"] == "acknowledged"
    ended = bob.post(f"{incident}/resolve", {}, "application/json").json()
    assert (ended["state"], [each["kind"] for each in ended["events"]]) == (
        "resolved",
        ["opened", "acknowledged", "resolved"],
    )
    assert ann.delete(one).status_code == 204
    assert key.get(f"{base}/incidents").json()["results"] == []


def test_the_sample_has_policies_once(cast: Cast) -> None:
    for _ in range(2):
        make_sample(project=cast.project, now=at(35))

    assert Policy.objects.count() == 4
    of = {each.policy.kind: each for each in Incident.objects.select_related("policy")}
    # 5 of the first 15 failed; of 25 that called a model 12 were looked at; all that was spent.
    worst = {"error_rate": Decimal("0.333333"), "coverage": Decimal("0.48"), "cost_budget": Decimal("17.5")}
    assert {kind: each.worst.normalize() for kind, each in of.items()} == worst
    assert {each.state for each in of.values()} == {"open"}
    assert not Notice.objects.exists()
    assert Policy.objects.exclude(muted_until=None).count() == 0


def test_staff_see_them(cast: Cast) -> None:
    of = policy(cast, "no_data", cast.alice)
    start_clock(40)
    evaluate_due(at(41))
    root = signed_in(cast.root)
    incident = Incident.objects.get()

    for name, pk in (("policy", of.pk), ("incident", incident.pk)):
        assert root.get(f"/admin/guardrails/{name}/").status_code == 200
        assert root.get(f"/admin/guardrails/{name}/{pk}/change/").status_code == 200
    assert root.get("/admin/guardrails/notification/").status_code == 200
