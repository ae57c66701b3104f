import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.db.models import Model
from django.test import Client
from django.utils.timezone import now
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from pytest_django import DjangoAssertNumQueries

from projects.credentials import InvalidCredential, authenticate, forget
from projects.models import ApiKey, AuditEvent, Invitation, LoginFailure, Membership, Organization, Project, User
from projects.services import create_api_key
from tests.cast import PASSWORD, Cast
from tests.projects.conftest import SignIn

UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
MODELS = [
    *(User, Group, Organization, Membership, Invitation, Project, ApiKey, AuditEvent, LoginFailure),
    *(PeriodicTask, IntervalSchedule, CrontabSchedule, SolarSchedule, ClockedSchedule),
]
READ_ONLY = {AuditEvent, LoginFailure}


@pytest.fixture
def root(cast: Cast, signed_in: SignIn) -> Client:
    client: Client = signed_in("root")
    return client


@pytest.fixture
def rows(cast: Cast) -> None:
    create_api_key(project=cast.project, name="ci", actor=cast.alice)
    Group.objects.create(name="Auditors")
    Invitation.objects.create(organization=cast.organization, email="dora@example.com", inviter=cast.alice)
    LoginFailure.objects.create(email="bob@example.com", address="192.0.2.1")
    hourly = IntervalSchedule.objects.create(every=1, period="hours")
    PeriodicTask.objects.create(name="hourly", task="any.task", interval=hourly)
    CrontabSchedule.objects.create(minute="0")
    SolarSchedule.objects.create(event="sunrise", latitude=37, longitude=127)
    ClockedSchedule.objects.create(clocked_time=now())


def first(model: type[Model]) -> Model:
    return model._default_manager.all()[0]


def url(model: type[Model], page: str) -> str:
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/{page}"


def text(answer: Any) -> str:
    return str(answer.content.decode())


def test_every_model_of_the_admin_is_tested_here() -> None:
    ours = {
        model for model in admin.site._registry if model._meta.app_label in ("projects", "django_celery_beat", "auth")
    }
    assert ours == set(MODELS)


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("model", MODELS)
def test_list_add_and_change_pages_open(root: Client, rows: None, model: type[Model], language: str) -> None:
    headers = {"Accept-Language": language}
    listing = root.get(url(model, ""), headers=headers)
    assert listing.status_code == 200
    assert str(first(model).pk) in text(listing)
    added = root.get(url(model, "add/"), headers=headers)
    assert added.status_code == (403 if model in READ_ONLY else 200)
    changed = root.get(url(model, f"{first(model).pk}/change/"), headers=headers)
    assert changed.status_code == 200
    assert f'<html lang="{language}"' in text(changed)


@pytest.mark.parametrize("model", MODELS)
def test_every_list_can_be_searched_and_filtered(root: Client, rows: None, model: type[Model]) -> None:
    assert root.get(url(model, "?q=o%27")).status_code == 200
    listing = root.get(url(model, ""))
    for spec in listing.context["cl"].filter_specs:
        for choice in spec.choices(listing.context["cl"]):
            assert root.get(url(model, choice.get("query_string", ""))).status_code == 200


def test_the_front_page_and_the_sidebar_open(root: Client) -> None:
    page = text(root.get("/admin/"))
    for path in ("projects/project/", "projects/apikey/", "django_celery_beat/periodictask/"):
        assert f'href="/admin/{path}"' in page


@pytest.mark.parametrize("model", [ApiKey, User, Project])
def test_no_digest_or_password_hash_is_in_a_page(root: Client, rows: None, model: type[Model]) -> None:
    key = ApiKey.objects.get()
    for row in model._default_manager.all():
        page = text(root.get(url(model, f"{row.pk}/change/"))) + text(root.get(url(model, f"{row.pk}/history/")))
        assert key.digest not in page
        assert "md5$" not in page
        assert not any(user.password.split("$")[2][:6] in page for user in User.objects.all())


def test_a_new_key_is_shown_in_its_answer_and_nowhere_else(
    root: Client, cast: Cast, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    fields = {
        "project": str(cast.project.pk),
        "name": "from admin",
        "scopes": ["ingest"],
        "expires_at_0": "",
        "expires_at_1": "",
    }
    answer = root.post(url(ApiKey, "add/"), fields)
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    key = ApiKey.objects.get()
    assert (key.name, key.scopes, key.created_by) == ("from admin", ["ingest"], cast.root)
    (secret,) = {found for found in UUID4.findall(text(answer)) if found.startswith(key.prefix)}
    assert authenticate(secret).key_id == key.pk
    for path in (
        url(ApiKey, ""),
        url(ApiKey, f"{key.pk}/change/"),
        url(ApiKey, f"{key.pk}/history/"),
        url(AuditEvent, ""),
    ):
        assert secret not in text(root.get(path))
    assert secret not in caplog.text
    assert secret not in str(root.cookies)
    assert secret not in str(dict(root.session))
    assert list(AuditEvent.objects.filter(action__startswith="key.").values_list("action", flat=True)) == [
        "key.created"
    ]


@pytest.mark.parametrize(
    "change", [{"name": ""}, {"scopes": []}, {"expires_at_0": "2020-01-01", "expires_at_1": "00:00"}]
)
def test_an_unfit_key_is_explained(root: Client, cast: Cast, change: dict[str, Any]) -> None:
    fields = {
        "project": str(cast.project.pk),
        "name": "x",
        "scopes": ["ingest"],
        "expires_at_0": "",
        "expires_at_1": "",
    }
    answer = root.post(url(ApiKey, "add/"), {**fields, **change})
    assert answer.status_code == 200
    assert "errorlist" in text(answer) or "errornote" in text(answer) or "Please correct" in text(answer)
    assert not ApiKey.objects.exists()


def test_the_project_leads_to_a_new_key_for_it(root: Client, cast: Cast) -> None:
    assert url(Project, f"{cast.project.pk}/new_key/") in text(root.get(url(Project, f"{cast.project.pk}/change/")))
    answer = root.get(url(Project, f"{cast.project.pk}/new_key/"), follow=True)
    assert answer.status_code == 200
    assert answer.context["adminform"].form.initial["project"] == str(cast.project.pk)


def revoke_in_list(client: Client, key: ApiKey) -> Any:
    return client.post(url(ApiKey, ""), {"action": "revoke_selected", "_selected_action": [str(key.pk)]}, follow=True)


def revoke_on_page(client: Client, key: ApiKey) -> Any:
    fields = {
        "name": key.name,
        "scopes": key.scopes,
        "expires_at_0": "",
        "expires_at_1": "",
        "projects_apikey_revoke": "1",
    }
    return client.post(url(ApiKey, f"{key.pk}/change/"), fields, follow=True)


@pytest.mark.parametrize("revoke", [revoke_in_list, revoke_on_page])
def test_a_key_is_revoked(root: Client, cast: Cast, revoke: Callable[[Client, ApiKey], Any]) -> None:
    issued = create_api_key(project=cast.project, name="ci")
    assert "30 seconds" in text(revoke(root, issued.key))
    forget()
    with pytest.raises(InvalidCredential, match="revoked"):
        authenticate(issued.secret)
    assert AuditEvent.objects.filter(action="key.revoked", actor=cast.root).count() == 1
    assert 'name="projects_apikey_revoke"' not in text(root.get(url(ApiKey, f"{issued.key.pk}/change/")))


def test_a_key_cannot_be_deleted_or_moved_to_another_project(root: Client, cast: Cast) -> None:
    key = create_api_key(project=cast.project, name="ci").key
    assert root.post(url(ApiKey, f"{key.pk}/delete/"), {"post": "yes"}).status_code == 403
    fields = {
        "name": "renamed",
        "scopes": ["read"],
        "expires_at_0": "",
        "expires_at_1": "",
        "project": str(cast.foreign_project.pk),
    }
    root.post(url(ApiKey, f"{key.pk}/change/"), fields)
    key.refresh_from_db()
    assert (key.name, key.scopes, key.project) == ("renamed", ["read"], cast.project)
    event = AuditEvent.objects.get(action="key.changed")
    assert event.project == cast.project
    assert event.details == {"changes": [{"changed": {"fields": ["Name", "permissions"]}}]}


@pytest.mark.parametrize(("status", "expected"), [("active", "live"), ("expired", "late"), ("revoked", "gone")])
def test_keys_are_filtered_by_status(root: Client, cast: Cast, status: str, expected: str) -> None:
    for name in ("live", "late", "gone"):
        create_api_key(project=cast.project, name=name)
    ApiKey.objects.filter(name="late").update(
        created_at=now() - timedelta(days=2), expires_at=now() - timedelta(days=1)
    )
    ApiKey.objects.filter(name="gone").update(revoked_at=now())
    found = root.get(url(ApiKey, f"?status={status}")).context["cl"].queryset
    assert [key.name for key in found] == [expected]


def test_deleting_a_project_hides_it_ends_its_keys_and_can_be_undone(root: Client, cast: Cast) -> None:
    issued = create_api_key(project=cast.project, name="ci")
    question = text(root.get(url(Project, f"{cast.project.pk}/delete/")))
    assert issued.key.prefix in question
    root.post(url(Project, f"{cast.project.pk}/delete/"), {"post": "yes"})
    cast.project.refresh_from_db()
    assert cast.project.deleted_at is not None
    assert str(cast.project.pk) not in text(root.get(url(Project, "")))
    assert str(cast.project.pk) in text(root.get(url(Project, "?deleted=yes")))
    with pytest.raises(InvalidCredential):
        authenticate(issued.secret)
    root.post(url(Project, "?deleted=yes"), {"action": "restore_selected", "_selected_action": [str(cast.project.pk)]})
    forget()
    assert authenticate(issued.secret).project_id == cast.project.pk
    actions = AuditEvent.objects.filter(project=cast.project, actor=cast.root).order_by("at")
    assert [event.action for event in actions] == ["project.deleted", "project.restored"]


def test_an_organization_with_projects_is_protected(root: Client, cast: Cast) -> None:
    root.post(url(Organization, f"{cast.organization.pk}/delete/"), {"post": "yes"})
    assert Organization.objects.filter(pk=cast.organization.pk).exists()


def test_an_account_is_made_with_a_lower_case_address(root: Client, cast: Cast) -> None:
    fields = {"email": "Dora@Example.com", "full_name": "Dora", "usable_password": "true"}
    members = {f"memberships-{name}": "0" for name in ("TOTAL_FORMS", "INITIAL_FORMS")}
    answer = root.post(url(User, "add/"), {**fields, **members, "password1": PASSWORD, "password2": PASSWORD})
    assert answer.status_code == 302
    assert User.objects.get(full_name="Dora").email == "dora@example.com"
    assert AuditEvent.objects.filter(action="user.created", target="dora@example.com", actor=cast.root).exists()


def test_a_password_is_set_without_being_written_down(root: Client, cast: Cast) -> None:
    new = "a brand new password"
    fields = {"usable_password": "true", "password1": new, "password2": new}
    assert root.post(url(User, f"{cast.bob.pk}/password/"), fields).status_code == 302
    cast.bob.refresh_from_db()
    assert cast.bob.check_password(new)
    assert new not in str(list(AuditEvent.objects.values()))


@pytest.mark.parametrize("model", sorted(READ_ONLY, key=str))
def test_records_cannot_be_changed_by_anybody(root: Client, rows: None, model: type[Model]) -> None:
    row = first(model)
    assert root.post(url(model, f"{row.pk}/change/"), {"action": "x"}).status_code == 403
    assert root.post(url(model, f"{row.pk}/delete/"), {"post": "yes"}).status_code == 403
    root.post(url(model, ""), {"action": "delete_selected", "_selected_action": [str(row.pk)], "post": "yes"})
    assert model._default_manager.filter(pk=row.pk).exists()


def test_staff_of_a_group_see_only_what_the_group_may(cast: Cast, signed_in: SignIn) -> None:
    auditors = Group.objects.create(name="Auditors")
    auditors.permissions.add(Permission.objects.get(codename="view_auditevent"))
    cast.bob.is_staff = True
    cast.bob.save()
    cast.bob.groups.add(auditors)
    client = signed_in("bob")
    assert client.get(url(AuditEvent, "")).status_code == 200
    for model in (ApiKey, Project, User):
        assert client.get(url(model, "")).status_code == 403
    assert client.get(url(Project, f"{cast.project.pk}/new_key/")).status_code == 403
    sidebar = text(client.get("/admin/"))
    assert 'href="/admin/projects/auditevent/"' in sidebar
    assert 'href="/admin/projects/apikey/"' not in sidebar


def test_the_policy_is_relaxed_for_the_admin_only_and_never_for_inline_scripts(root: Client) -> None:
    policy = root.get("/admin/")["Content-Security-Policy"]
    scripts = re.search(r"script-src ([^;]*)", policy)
    assert scripts
    assert scripts[1].split() == ["'self'", "'unsafe-eval'"]
    assert "unsafe" not in root.get("/projects/")["Content-Security-Policy"]


def test_the_lists_cost_a_fixed_number_of_queries(
    root: Client, cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(30):
        create_api_key(project=cast.project, name=f"key {number}")
    root.get(url(ApiKey, ""))
    for model in (ApiKey, Project, Organization, Membership, AuditEvent):
        with django_assert_max_num_queries(12):
            root.get(url(model, ""))
