"""Staff look at what ClickHouse holds: a project and a range of time first, then pages that nobody counts."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from agentops_portal.clickhouse.client import get_client
from projects.models import User
from tests.cast import Cast, make_cast
from tests.kept import give_recorded
from tests.pages.spans import Spanlet, store_trace
from traces.store import admin as pages
from traces.store.shape.fields import MODELS

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

DAY = {"start": "2026-11-23T00:00:00", "end": "2026-11-24T00:00:00"}
MOMENT_NS = 1_795_400_000 * 10**9  # on the same day
FROM_SPANS = ("span", "trace", "usagequarter", "guardrailrun")


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


@pytest.fixture
def root(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.root)
    return client


@pytest.fixture
def spans(cast: Cast) -> UUID:
    give_recorded(cast.project, "litellm-1.106.2-mixed")
    return cast.project.pk


@pytest.fixture
def requests(cast: Cast) -> Iterator[None]:
    values = (
        f"'2026-11-23 12:00:00', '{cast.project.pk}', '{uuid4()}', unhex('00ff' || repeat('ab', 14)), 3, unhex('0aff')"
    )
    columns = "received_at, project_id, key_id, digest, spans, body"
    get_client().command(f"INSERT INTO otlp_inbox (segment, {columns}) SELECT 'stuck-1', {values}")
    get_client().command(f"INSERT INTO otlp_unreadable (reason, {columns}) SELECT 'odd bytes', {values}")
    yield
    get_client().command("ALTER TABLE otlp_inbox DROP PARTITION 'stuck-1'")


def address(model: str, **query: object) -> str:
    return f"/admin/traces/{model}/" + (f"?{urlencode(query)}" if query else "")


def admin_table(model: str) -> str:
    return str(apps.get_model("traces", model)._meta.db_table)


def text(answer: Any) -> str:
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_every_model_of_the_store_is_in_the_admin_and_the_sidebar(root: Client) -> None:
    front = text(root.get("/admin/"))

    for model in MODELS:
        assert admin.site.is_registered(model)
        assert f'href="/admin/traces/{model._meta.model_name}/"' in front


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("model", [model._meta.model_name for model in MODELS])
def test_nothing_is_asked_before_a_project_and_a_range_are_chosen(
    root: Client, cast: Cast, model: str, language: str
) -> None:
    prompt = {"en": "Choose a project and a range of time", "ko": "프로젝트와 기간을 선택하세요"}[language]
    halves: list[dict[str, object]] = [{}, {"project": cast.project.pk}, {**DAY}]
    halves += [{"project": project, **DAY} for project in (uuid4(), "x'")]
    backwards = {"project": cast.project.pk, "start": DAY["end"], "end": DAY["start"]}
    with CaptureQueriesContext(connections["clickhouse"]) as asked:
        for query in (*halves, backwards):
            page = text(root.get(address(model, **query), headers={"Accept-Language": language}))
            assert prompt in page
    assert len(asked) == 0


@pytest.mark.parametrize("model", FROM_SPANS)
def test_rows_lead_to_the_page_of_the_trace_and_to_json(root: Client, spans: UUID, model: str) -> None:
    with CaptureQueriesContext(connections["clickhouse"]) as asked:
        answer = root.get(address(model, project=spans, **DAY))
    page = text(answer)
    rows = answer.context["rows"]

    [query] = [str(each["sql"]) for each in asked.captured_queries if admin_table(model) in str(each["sql"])]
    assert "count(" not in query.lower()
    assert rows
    assert f'href="/projects/{spans}/traces/' in page or model == "usagequarter"
    for row in rows[:3]:
        found = root.get(row["json"])
        assert found.json()["project_id"] == str(spans)
        assert "no-store" in found["Cache-Control"]
        if row["trace"]:
            assert root.get(row["trace"]).status_code == 200


def test_the_json_of_a_span_has_every_column(root: Client, spans: UUID) -> None:
    row = root.get(address("span", project=spans, **DAY)).context["rows"][0]
    found = root.get(row["json"]).json()

    assert found.keys() == {field.column for field in MODELS[0]._meta.concrete_fields}
    assert isinstance(found["SpanAttributes"], dict)
    assert found["Timestamp"].startswith("2026-11-23T")


@pytest.mark.parametrize(("model", "shown"), [("inboxrequest", "stuck-1"), ("unreadablerequest", "odd bytes")])
def test_requests_that_are_stuck_or_odd_are_shown(
    root: Client, cast: Cast, requests: None, model: str, shown: str
) -> None:
    answer = root.get(address(model, project=cast.project.pk, **DAY))

    assert shown in text(answer)
    [row] = answer.context["rows"]
    found = root.get(row["json"]).json()
    assert (found["spans"], found["digest"], found["body"]) == (3, "00ff" + "ab" * 14, "Cv8=")


def test_pages_follow_one_another_and_end(root: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "PAGE_ROWS", 2)
    store_trace(cast.project.pk, [Spanlet(f"step {n}", id=n + 1, start=n) for n in range(5)], start_ns=MOMENT_NS)
    query = {"project": cast.project.pk, "start": "2026-11-01T00:00:00", "end": "2026-12-01T00:00:00"}

    seen, following = [], address("span", **query)
    while following:
        answer = root.get(following)
        seen += [row["cells"][1] for row in answer.context["rows"]]
        following = answer.context["next"] and address("span") + answer.context["next"]

    assert seen == [f"step {n}" for n in (4, 3, 2, 1, 0)]
    assert "Newer rows" in text(answer)


def test_text_of_strangers_is_escaped(root: Client, cast: Cast) -> None:
    store_trace(cast.project.pk, [Spanlet("<script>alert(1)</script>")], start_ns=MOMENT_NS)

    page = text(root.get(address("span", project=cast.project.pk, start="2026-11-01T00:00", end="2026-12-01T00:00")))

    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page


@pytest.mark.parametrize("query", ["", "?project=x", "?project={project}", "?project={project}&Timestamp=never"])
def test_an_address_of_no_row_is_not_found(root: Client, cast: Cast, query: str) -> None:
    assert root.get(f"/admin/traces/span/row/{query.format(project=cast.project.pk)}").status_code == 404


def test_they_are_there_to_read_only_and_a_row_has_no_form(root: Client, cast: Cast) -> None:
    assert root.get(address("span") + "add/").status_code == 403
    for page in ("0123/change/", "0123/delete/", "0123/history/"):
        assert root.get(address("span") + page).status_code in (302, 403)  # "doesn't exist"
        assert root.post(address("span") + page, {"post": "yes"}).status_code in (302, 403)


def test_staff_see_what_their_permissions_say(cast: Cast) -> None:
    User.objects.filter(pk=cast.bob.pk).update(is_staff=True)
    client = Client()
    client.force_login(cast.bob)
    assert client.get(address("span")).status_code == 403
    assert client.get(address("span") + "row/").status_code == 403

    cast.bob.user_permissions.add(Permission.objects.get(codename="view_span"))

    assert client.get(address("span")).status_code == 200
    assert client.get(address("trace")).status_code == 403
