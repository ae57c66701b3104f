from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from compat.agentops.opsboard.billing import CHANGE
from projects.models import Invitation, Project
from projects.services import create_api_key
from projects.teams import invite
from tests.cast import Cast
from tests.pages.spans import Spanlet, store_trace

from .conftest import Ask

NONE = type(None)
OPTIONAL_TEXT = (str, NONE)
OPTIONAL_NUMBER = (int, NONE)

USER = {
    "id": UUID,
    "full_name": OPTIONAL_TEXT,
    "avatar_url": OPTIONAL_TEXT,
    "billing_address": NONE,
    "payment_method": NONE,
    "email": str,
    "survey_is_complete": bool,
}
ORGANIZATION = {
    "id": UUID,
    "name": str,
    "prem_status": str,
    "subscription_id": OPTIONAL_TEXT,
    "subscription_end_date": OPTIONAL_NUMBER,
    "subscription_start_date": OPTIONAL_NUMBER,
    "subscription_cancel_at_period_end": (bool, NONE),
    "current_user_role": OPTIONAL_TEXT,
    "current_member_count": int,
    "max_member_count": NONE,
    "current_project_count": int,
    "max_project_count": NONE,
    "paid_member_count": OPTIONAL_NUMBER,
}
MEMBER = {"user_id": UUID, "org_id": UUID, "role": str, "user_email": str, "is_paid": bool}
DETAIL = {**ORGANIZATION, "users": [MEMBER]}
INVITE = {
    "inviter_id": UUID,
    "invitee_email": str,
    "org_id": UUID,
    "role": str,
    "org_name": str,
    "created_at": datetime,
}
INVITE_DETAIL = {
    "invitee_email": str,
    "inviter_email": str,
    "role": str,
    "org_id": UUID,
    "org_name": str,
    "created_at": datetime,
    "user_exists": bool,
}
PROJECT = {
    "id": UUID,
    "org_id": UUID,
    "name": str,
    "environment": str,
    "api_key": str,
    "api_key_prefix": OPTIONAL_TEXT,
    "org": ORGANIZATION,
}
PROJECT_ORGANIZATION = {"id": UUID, "name": str, "prem_status": str, "current_user_role": OPTIONAL_TEXT}
PROJECT_ITEM = {
    "id": UUID,
    "name": str,
    "api_key": str,
    "api_key_prefix": OPTIONAL_TEXT,
    "org": PROJECT_ORGANIZATION,
    "span_count": int,
    "trace_count": int,
}
UNIT_PRICE = {"priceId": NONE, "amount": float, "currency": str, "unit_size": int, "display_unit": str}
SEAT_PRICE = {"priceId": NONE, "amount": float, "currency": str, "interval": str, "interval_count": int}
PRICES = {"seat": SEAT_PRICE, "tokens": UNIT_PRICE, "spans": UNIT_PRICE}
MEMBER_COST = {
    "immediate_charge": float,
    "next_period_charge": float,
    "billing_interval": str,
    "period_end": NONE,
    "currency": str,
}
STATUS = {"success": bool, "message": OPTIONAL_TEXT}
BILLING = {
    "current_period": NONE,
    "past_periods": list,
    "total_spent_all_time": int,
    "is_legacy_billing": bool,
    "legacy_cancellation_date": NONE,
    "project_breakdown": list,
}


def check(found: Any, shape: Any, place: str = "body") -> None:
    """The very fields and types, at every depth."""
    if isinstance(shape, dict):
        assert found.keys() == shape.keys(), place
        for name, inner in shape.items():
            check(found[name], inner, f"{place}.{name}")
    elif isinstance(shape, list):
        assert found, place
        for each in found:
            check(each, shape[0], f"{place}[]")
    elif shape in (UUID, datetime):
        assert str(shape(found) if shape is UUID else found) == found, place
        if shape is datetime:
            assert datetime.fromisoformat(found).utcoffset() == timedelta(0), place
    else:
        kinds = shape if isinstance(shape, tuple) else (shape,)
        assert type(found) in kinds, f"{place}: {found!r}"


def invitation(cast: Cast, email: str) -> Invitation:
    return invite(organization=cast.organization, email=email, role="developer", actor=cast.alice)


@pytest.mark.parametrize(
    ("method", "path", "body", "shape"),
    [
        ("get", "users/me", None, USER),
        ("post", "users/update", {"full_name": "Alice A."}, USER),
        ("post", "users/complete_survey", None, STATUS),
        ("get", "orgs", None, [ORGANIZATION]),
        ("get", "orgs/{org}", None, DETAIL),
        ("post", "orgs/create", {"name": "New"}, ORGANIZATION),
        ("post", "orgs/{org}/update", {"name": "Newer"}, ORGANIZATION),
        ("post", "orgs/{org}/invite", {"email": "x@example.com", "role": "admin"}, STATUS),
        ("get", "orgs/{org}/invites", None, [INVITE_DETAIL]),
        ("delete", "orgs/{org}/invites/waiting@example.com", None, STATUS),
        ("post", "orgs/{org}/members/remove", {"user_id": "{bob}"}, STATUS),
        ("post", "orgs/{org}/members/update", {"user_id": "{bob}", "role": "admin"}, STATUS),
        ("get", "orgs/{org}/billing/dashboard", None, BILLING),
        ("get", "orgs/{org}/stripe-pricing", None, PRICES),
        ("get", "orgs/{org}/preview-member-cost", None, MEMBER_COST),
        ("get", "projects", None, [PROJECT_ITEM]),
        ("get", "projects/{project}", None, PROJECT),
        ("post", "projects", {"name": "P", "org_id": "{org}"}, PROJECT),
        ("post", "projects/{project}/update", {"name": "Q", "environment": "staging"}, PROJECT),
        ("post", "projects/{project}/regenerate-key", None, PROJECT),
        ("post", "projects/{project}/delete", None, STATUS),
    ],
)
def test_an_answer_has_the_fields_of_the_contract(
    cast: Cast, ask: Ask, method: str, path: str, body: Any, shape: Any
) -> None:
    create_api_key(project=cast.project, name="key")
    invitation(cast, "waiting@example.com")
    names = {"org": str(cast.organization.pk), "project": str(cast.project.pk), "bob": str(cast.bob.pk)}
    sent = {key: value.format(**names) if isinstance(value, str) else value for key, value in (body or {}).items()}

    answer = ask("alice", method, path.format(**names), sent)

    assert answer.status_code == 200, answer.content
    assert answer["Cache-Control"] == "no-store, no-cache, must-revalidate, max-age=0"
    check(answer.json(), shape)


def test_an_invited_person_sees_the_invitation(cast: Cast, ask: Ask) -> None:
    invitation(cast, "CHARLIE@example.com")

    answer = ask("charlie", "get", "orgs/invites").json()
    check(answer, [INVITE])
    assert (answer[0]["org_name"], answer[0]["role"]) == ("Alice & Co", "developer")


def test_an_organization_says_who_and_how_many(cast: Cast, ask: Ask) -> None:
    invitation(cast, "waiting@example.com")
    body = ask("bo", "get", f"orgs/{cast.organization.pk}").json()

    assert (body["current_user_role"], body["current_member_count"], body["current_project_count"]) == (
        "business_user",
        5,
        1,
    )
    assert {(user["user_email"], user["role"]) for user in body["users"]} == {
        ("alice@example.com", "owner"),
        ("ann@example.com", "admin"),
        ("bob@example.com", "developer"),
        ("bo@example.com", "business_user"),
    }


def test_a_portal_of_ones_own_has_no_plan_to_pay_for(cast: Cast, ask: Ask) -> None:
    body = ask("alice", "get", f"orgs/{cast.organization.pk}").json()

    assert body["prem_status"] == "pro"
    assert (body["max_member_count"], body["max_project_count"]) == (None, None)
    for number in range(5):  # today's free plan ends at one
        made = ask("alice", "post", "projects", {"name": f"P{number}", "org_id": str(cast.organization.pk)})
        assert made.status_code == 200
    assert made.json()["org"]["current_project_count"] == 6
    assert all(user["is_paid"] for user in body["users"])


def test_the_dashboard_makes_nothing_of_what_everything_costs(cast: Cast, ask: Ask) -> None:
    """`(seat.amount || 4000) / 100`, `(tokens.amount || 0.02) * 1000 / 100`, `(spans.amount || 0.01) / 100`."""
    prices = ask("bo", "get", f"orgs/{cast.organization.pk}/stripe-pricing").json()

    assert (prices["seat"]["amount"] or 4000) / 100 == 0
    assert f"{(prices['tokens']['amount'] or 0.02) * 1000 / 100 * 10**12:.12f}" == "0.000000000000"
    assert (prices["spans"]["amount"] or 0.01) / 100 == 0


@pytest.mark.parametrize(
    ("method", "name"),
    [("put", "members/licenses"), ("get", "subscription-detail"), *(("post", name) for name in CHANGE)],
)
def test_what_cannot_be_paid_for_is_not_said_to_be_done(cast: Cast, ask: Ask, method: str, name: str) -> None:
    answer = ask("alice", method, f"orgs/{cast.organization.pk}/{name}")

    assert (answer.status_code, answer.json()) == (400, {"detail": "Billing is not enabled on this portal."})


@pytest.mark.django_db(databases=["default", "clickhouse"])
def test_projects_are_listed_with_all_that_they_hold(cast: Cast, ask: Ask) -> None:
    other = Project.objects.create(organization=cast.organization, name="Empty")
    children = [Spanlet("root"), Spanlet("child", id=2, parent=1)]
    store_trace(cast.project.pk, children, number=1)
    store_trace(cast.project.pk, [Spanlet("alone")], number=2, start_ns=10**18)  # years ago
    store_trace(cast.foreign_project.pk, children, number=1)

    listed = {project["name"]: project for project in ask("bo", "get", "projects").json()}

    assert listed.keys() == {"Alice's agents", other.name}
    assert (listed["Alice's agents"]["span_count"], listed["Alice's agents"]["trace_count"]) == (3, 2)
    assert (listed["Empty"]["span_count"], listed["Empty"]["trace_count"]) == (0, 0)
