"""The filters behind "More filters": what they find, what is refused, and that the API takes the same address."""

import re
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from projects.models import Project
from tests.kept import give_recorded

from .spans import RECORDED_DAY, Spanlet, Value, request_of, store, trace_id

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

OCTOBER_NS = 1_790_812_860 * 10**9  # 2026-10-01T00:01:00Z
FILTERS = [
    ("guardrail=blocked", 3),
    ("guardrail=masked", 1),
    ("has_errors=true", 4),
    ("has_errors=false", 5),
    ("user=alice&session=sess-1", 1),
    ("service=litellm-proxy", 9),
    ("agent=nobody", 0),
    ("tag=team-a", 1),
    ("tag=team", 0),
    ("min_duration=100ms", 4),
    ("max_duration=0.1s", 5),
    ("min_duration=1s&max_duration=1m", 1),
    ("min_cost=0.00001", 2),
    ("max_cost=0.00001", 4),  # what was blocked before a call cost nothing
    ("guardrail=blocked&status=error&has_errors=true", 3),
    ("guardrail=blocked&llm=1&status=error&has_errors=true", 1),  # after the call
]


@pytest.mark.parametrize(("query", "count"), FILTERS)
def test_the_page_and_the_api_find_the_same_with_the_same_words(
    client: Client, project: Project, query: str, count: int
) -> None:
    give_recorded(project, "litellm-1.106.2-mixed")
    address = f"{RECORDED_DAY}&{query}"

    page = client.get(reverse("trace-list", kwargs={"project_id": project.pk}) + address).context["page"]
    answer = client.get(f"/api/v1/projects/{project.pk}/traces{address}").json()

    assert len(page.traces) == count
    assert [trace.trace_id for trace in page.traces] == [trace["trace_id"] for trace in answer["results"]]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("guardrail=none", "Guardrail: none is not one of allowed"),
        ("has_errors=maybe", "Errors: maybe is not one of true, false"),
        ("min_duration=5", "Duration from: Write a number with its unit"),
        ("min_duration=2s&max_duration=1s", "Duration up to: This must not be less than the lower bound"),
        ("min_cost=-1", "Cost from, in dollars: "),
        ("min_cost=NaN", "Cost from, in dollars: "),
        ("max_cost=1e99", "Cost up to, in dollars: "),
        ("agent=%00", "Agent: Null characters"),
        (f"tag={'x' * 301}", "Tag: "),
    ],
)
def test_what_does_not_fit_is_refused_with_the_field_named(
    client: Client, project: Project, query: str, words: str
) -> None:
    response = client.get(reverse("trace-list", kwargs={"project_id": project.pk}) + f"?{query}")

    assert response.status_code == 400
    assert words in " ".join(response.context["form"].problems())
    assert "is-invalid" in response.content.decode()


def test_filters_that_are_set_are_open_counted_and_removed_together(client: Client, project: Project) -> None:
    give_recorded(project, "litellm-1.106.2-mixed")
    address = reverse("trace-list", kwargs={"project_id": project.pk}) + RECORDED_DAY

    plain = client.get(address).content.decode()
    set_ = client.get(f"{address}&user=alice&min_duration=1ms&q=POST").content.decode()

    assert '<details class="trace-filter-more">' in plain
    assert '<details class="trace-filter-more" open>' in set_
    assert '<span class="badge bg-primary text-primary-fg ms-2">2</span>' in set_
    assert 'name="user" value="alice"' in set_
    clear = set_.split('class="btn btn-ghost" href="')[1].split('"')[0]
    assert "user" not in clear
    assert "q=POST" in clear


def test_what_was_typed_is_shown_as_text(client: Client, project: Project) -> None:
    give_recorded(project, "litellm-1.106.2-mixed")
    address = reverse("trace-list", kwargs={"project_id": project.pk})

    page = client.get(address + RECORDED_DAY + "&agent=%22%3E%3Cscript%3E").content.decode()

    assert 'value="&quot;&gt;&lt;script&gt;"' in page


def test_the_download_holds_what_the_page_lists(client: Client, project: Project) -> None:
    give_recorded(project, "litellm-1.106.2-mixed")
    address = reverse("trace-list", kwargs={"project_id": project.pk}) + RECORDED_DAY + "&guardrail=blocked&q=POST"

    response = client.get(address)
    [csv, *_] = re.findall(r'href="([^"]*/traces/export[^"]*)"', response.content.decode())
    file = client.get(unescape(csv))

    assert file.status_code == 200, file.getvalue()
    rows = file.getvalue().decode().splitlines()[1:]
    assert [row.split(",")[0] for row in rows] == [trace.trace_id for trace in response.context["page"].traces]


@pytest.mark.parametrize("name", ["session", "user", "agent", "service", "model", "tag"])
def test_blanks_at_the_ends_of_a_name_belong_to_it(client: Client, project: Project, name: str) -> None:
    day = "start=2026-10-01T00:00:00Z&end=2026-10-02T00:00:00Z"
    for number, text in enumerate(("a", "a ", " a"), start=1):
        attributes: dict[str, Value] = {
            "session.id": text,
            "user.id": text,
            "gen_ai.agent.name": text,
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": text,
            "agentops.tags": [text],
        }
        sent = request_of({number: [Spanlet("chat", attributes=attributes)]}, OCTOBER_NS)
        sent.resource_spans[0].resource.attributes[0].value.string_value = text  # service.name
        store(project.pk, sent)

    for number, asked in enumerate(("a", "a%20", "%20a"), start=1):
        page = client.get(f"/projects/{project.pk}/traces/?{day}&{name}={asked}").context["page"]
        answer = client.get(f"/api/v1/projects/{project.pk}/traces?{day}&{name}={asked}").json()
        assert [trace.trace_id for trace in page.traces] == [trace_id(number)]
        assert [trace["trace_id"] for trace in answer["results"]] == [trace_id(number)]
