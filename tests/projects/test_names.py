"""Names in one line: at every door, and in rows from before."""

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import connection

from agentops_portal.fields import one_line, validate_name
from projects.models import ApiKey, Organization, Project, User
from projects.services import create_api_key, create_organization, create_project, update_project
from projects.teams import rename_organization
from tests.browser import browser
from tests.cast import Cast

BETWEEN = "\n\r\t\x1b\x7f\x85\u2028\u2029\u202e\u2066\ud800"
UNFIT = [f"a{each}b" for each in BETWEEN]
FIT = ["a", "가나다", "नमस्ते", "👩\u200d💻 team", "می\u200cخواهم", "O'Neil & Söhne", "a.b: c/d"]


@pytest.mark.parametrize("name", UNFIT)
def test_unfit_names(name: str) -> None:
    with pytest.raises(ValidationError, match="one line"):
        validate_name(name)
    assert one_line(name) == "a b"


@pytest.mark.parametrize("name", FIT)
def test_fit_names(name: str) -> None:
    validate_name(name)
    assert one_line(name) == name


@pytest.mark.parametrize("name", ["a\nb", "a\u202eb"])
def test_services_refuse_them(cast: Cast, name: str) -> None:
    for change in (
        lambda: create_organization(name=name, owner=cast.alice),
        lambda: rename_organization(organization=cast.organization, name=name, actor=cast.alice),
        lambda: create_project(organization=cast.organization, name=name),
        lambda: update_project(project=cast.project, name=name),
        lambda: create_api_key(project=cast.project, name=name),
    ):
        with pytest.raises(ValidationError):
            change()


@pytest.mark.parametrize(
    ("method", "address", "body", "status"),
    [
        ("post", "/opsboard/orgs/create", {"name": "a\nb"}, 422),
        ("post", "/opsboard/orgs/{organization}/update", {"name": "a\nb"}, 422),
        ("post", "/opsboard/projects", {"org_id": "{organization}", "name": "a\nb"}, 422),
        ("post", "/opsboard/projects/{project}/update", {"name": "a\nb"}, 422),
        ("post", "/opsboard/users/update", {"full_name": "a\nb"}, 422),
        (
            "post",
            "/auth/signup",
            {"email": "x@example.com", "password": "better one 42", "full_name": "a\nb"},
            422,
        ),
        ("post", "/api/v1/projects", {"organization": "{organization}", "name": "a\nb"}, 400),
        ("patch", "/api/v1/projects/{project}", {"name": "a\nb"}, 400),
        ("post", "/api/v1/projects/{project}/keys", {"name": "a\nb"}, 400),
        ("post", "/api/projects", {"name": "a\nb", "org_id": "{organization}"}, 422),
        ("put", "/api/projects/{project}", {"name": "a\nb"}, 422),
    ],
)
def test_every_address_that_takes_a_name_says_what_is_wrong(
    cast: Cast, method: str, address: str, body: dict[str, Any], status: int
) -> None:
    client = browser()
    client.force_login(cast.alice)
    values = {"organization": str(cast.organization.pk), "project": str(cast.project.pk)}
    sent = {name: value.format(**values) for name, value in body.items()}
    answer = getattr(client, method)(address.format(**values), sent, content_type="application/json")

    assert (answer.status_code, "one line" in answer.content.decode()) == (status, True)


def test_pages_refuse_them(cast: Cast) -> None:
    client = browser()
    client.force_login(cast.alice)
    answer = client.post("/account/", {"full_name": "a\u202eb"})
    assert "one line" in answer.content.decode()
    answer = client.post(f"/projects/{cast.project.pk}/keys/create/", {"name": "a\x1bb", "scopes": ["read"]})
    assert (answer.status_code, "one line" in answer.content.decode()) == (422, True)


def test_rows_from_before_are_cleaned_by_the_migration(cast: Cast) -> None:
    key = create_api_key(project=cast.project, name="key").key
    Organization.objects.filter(pk=cast.organization.pk).update(name="ACME\n\nDear customer")
    Project.objects.filter(pk=cast.project.pk).update(name="\n\r")
    ApiKey.objects.filter(pk=key.pk).update(name="ci\tcd")
    User.objects.filter(pk=cast.bob.pk).update(full_name="\x1b")

    import_module("projects.migrations.0006_links_and_names").clean_names(apps, connection.schema_editor())

    for row in (cast.organization, cast.project, key, cast.bob):
        row.refresh_from_db()
    assert (cast.organization.name, cast.project.name, key.name, cast.bob.full_name) == (
        "ACME Dear customer",
        "Unnamed",
        "ci cd",
        "",
    )
    update_project(project=cast.project, retention_days=7)
