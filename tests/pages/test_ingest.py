"""The ingest page: what each key sent in each hour, what was refused and why."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from projects.models import ApiKey, Project, User
from projects.services import create_api_key
from traces.ingest.otlp import errors
from traces.ingest.receipts.summary import REASONS, clock
from traces.models import IngestReceipt

NOW = datetime(2026, 11, 23, 14, 20, tzinfo=UTC)
HOUR = NOW.replace(minute=0)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def key(project: Project) -> ApiKey:
    return create_api_key(project=project, name="LiteLLM 운영").key


def receipt(key: ApiKey, hours_ago: int = 0, **values: Any) -> IngestReceipt:
    hour = HOUR - timedelta(hours=hours_ago)
    times = {"first_seen_at": hour + timedelta(minutes=1), "last_seen_at": hour + timedelta(minutes=9, seconds=30)}
    return IngestReceipt.objects.create(key=key, hour=hour, **{**times, **values})


def page(client: Client, project: Project, query: str = "", status: int = 200) -> str:
    response = client.get(reverse("ingest", kwargs={"project_id": project.pk}) + query)
    assert response.status_code == status
    return re.sub(r"\s+", " ", response.content.decode())


def rows(text: str) -> list[str]:
    """The words of each row of the table."""
    body = text.partition("<tbody>")[2].partition("</tbody>")[0]
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in body.split("</tr>")[:-1]]


def figures(text: str) -> dict[str, str]:
    """The summary: name → figure and what stands below it."""
    cards = re.findall(r"<dt>(.*?)</dt>(.*?)</div>", text)
    return {name: " ".join(re.sub(r"<[^>]+>", " ", rest).split()) for name, rest in cards}


def test_strangers_sign_in_and_others_find_nothing(bobs_client: Client, project: Project) -> None:
    address = reverse("ingest", kwargs={"project_id": project.pk})

    assert Client().get(address)["Location"] == f"/login/?next={address}"
    assert bobs_client.get(address).status_code == 404
    assert bobs_client.post(address).status_code == 405


def test_the_sidebar_leads_here(client: Client, project: Project) -> None:
    text = client.get(reverse("key-list", kwargs={"project_id": project.pk})).content.decode()

    assert f'href="/projects/{project.pk}/ingest/"' in text
    assert f'href="/projects/{project.pk}/ingest/" aria-current="page"' in page(client, project)


def test_a_project_that_was_sent_nothing_leads_to_the_first_steps(client: Client, project: Project) -> None:
    text = page(client, project)

    assert "Nothing has been sent with a key of this project" in text
    assert re.search(rf'href="/projects/{project.pk}/traces/">.*?Send your first trace', text)
    assert "Last span received" not in text


def test_the_summary_is_of_the_last_24_hours(client: Client, project: Project, key: ApiKey) -> None:
    other = create_api_key(project=project, name="other").key
    receipt(key, accepted_spans=1_000, rejected_spans=3, refused={"too_large": 2, "rate_limited": 5})
    receipt(key, 1, accepted_spans=30, last_accepted_at=NOW - timedelta(minutes=65))
    receipt(other, 23, accepted_spans=4)
    receipt(other, 24, accepted_spans=100_000, refused={"bad_data": 50})

    assert figures(page(client, project)) == {
        "Accepted spans": "1,034 Last 24 hours",
        "Refused requests": "7 and 3 rejected spans",
        "Last span received": "an hour ago 2026-11-23 13:15:00",
        "Keys in use": "2 Last 24 hours",
    }


def test_a_row_tells_of_one_key_and_hour(client: Client, project: Project, key: ApiKey) -> None:
    receipt(
        key,
        accepted_spans=12_345,
        repeated_spans=2,
        rejected_spans=1,
        bytes=3 * 2**20,
        refused={"rate_limited": 1, "too_large": 4},
        not_stored={"metrics": 1_440, "logs": 1},
        last_error="The body is larger than 16 MiB.",
        last_error_at=HOUR + timedelta(minutes=8),
        clock_skew_ms=3_600_000,
    )

    [row] = rows(page(client, project))

    assert row == (
        f"2026-11-23 14:00 14:01:00 – 14:09:30 LiteLLM 운영 {key.prefix}… 12,345 2 1 "
        "4 too large 1 above the project&#x27;s limit 3.0 MB "
        "14:08:00 The body is larger than 16 MiB. The clock runs 1 h ahead. "
        "Not stored: 1 log record, 1,440 data points of metrics"
    )


def test_hours_are_those_of_the_reader(client: Client, project: Project, key: ApiKey, alice: User) -> None:
    alice.timezone = "Asia/Kolkata"  # half an hour beside the others
    alice.save()
    receipt(key, last_error="x", last_error_at=HOUR)

    text = page(client, project)

    assert rows(text)[0].startswith("2026-11-23 19:30 19:31:00 – 19:39:30")
    assert "19:30:00 x" in rows(text)[0]
    assert "Asia/Kolkata" in text


def test_a_day_is_shown_and_a_week_when_asked_for(client: Client, project: Project, key: ApiKey) -> None:
    for hours_ago in (0, 23, 24, 167, 168):
        receipt(key, hours_ago)

    assert [row[:16] for row in rows(page(client, project))] == ["2026-11-23 14:00", "2026-11-22 15:00"]
    assert len(rows(page(client, project, "?range=7d"))) == 4


def test_one_keys_hours(client: Client, project: Project, key: ApiKey) -> None:
    receipt(key)
    other = create_api_key(project=project, name="other").key
    receipt(other)

    [row] = rows(page(client, project, f"?key={other.pk}"))

    assert "other" in row


def test_receipts_of_other_projects_stay_there(client: Client, project: Project, key: ApiKey, bob: User) -> None:
    foreign = Project.objects.create(name="Theirs", organization=bob.organizations.get())
    receipt(create_api_key(project=foreign, name="theirs").key, accepted_spans=9_999)
    receipt(key)

    text = page(client, project)

    assert len(rows(text)) == 1
    assert "9,999" not in text


def test_a_quiet_day_says_when_something_arrived_last(client: Client, project: Project, key: ApiKey) -> None:
    receipt(key, 30)

    text = page(client, project)

    assert "Nothing was sent in this time range" in text
    assert "arrived at 2026-11-22 08:09:30" in text
    assert 'href="?range=7d"' in text
    assert figures(text)["Last span received"] == "– none so far"


def test_many_rows_come_page_by_page(client: Client, project: Project) -> None:
    for number in range(9):
        key = create_api_key(project=project, name=f"key {number}").key
        for hours_ago in range(24):
            receipt(key, hours_ago)

    first, second = page(client, project, "?range=7d"), page(client, project, "?range=7d&page=2")

    assert (len(rows(first)), len(rows(second))) == (200, 16)
    assert 'href="?range=7d&amp;page=2" rel="next"' in first
    assert "Page 2 of 2" in second


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("?range=1y", "Time range: 1y is not one of 24h, 7d."),
        ("?key=nonsense", "Key: “nonsense” is not a valid UUID."),
        ("?key=00000000-0000-0000-0000-000000000000", "Key: This project has no such key."),
        ("?page=0", "Page: Ensure this value is greater than or equal to 1."),
        ("?page=x", "Page: Enter a whole number."),
    ],
)
def test_an_address_that_does_not_fit_names_the_field(
    client: Client, project: Project, query: str, problem: str
) -> None:
    assert problem in page(client, project, query, status=400)


def test_what_a_client_wrote_is_text(client: Client, project: Project) -> None:
    key = create_api_key(project=project, name="<script>alert(1)</script>").key
    receipt(key, last_error="<img src=x onerror=alert(2)>", last_error_at=NOW, refused={"<b>new": 1})

    text = page(client, project)

    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert "&lt;b&gt;new" in text


def test_it_takes_few_queries(
    client: Client, project: Project, key: ApiKey, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for hours_ago in range(24):
        receipt(key, hours_ago)
    page(client, project)

    with django_assert_max_num_queries(12):
        page(client, project)


def test_every_reason_of_a_refusal_has_words() -> None:
    classes = [value for value in vars(errors).values() if isinstance(value, type)]
    reasons = {value.reason for value in classes if issubclass(value, errors.OtlpError)}

    assert reasons | {"unreadable"} == set(REASONS)  # which is found out after the acknowledgement


@pytest.mark.parametrize(
    ("skew_ms", "words"),
    [
        (None, ""),
        (0, ""),
        (5_000, ""),
        (-5_000, ""),
        (5_001, "The clock runs 5 s ahead."),
        (-90_000, "The clock runs 2 min behind, or spans are sent late."),
        (3_590_000, "The clock runs 1 h ahead."),
        (-9 * 3_600_000, "The clock runs 9 h behind, or spans are sent late."),
        (10 * 86_400_000, "The clock runs 10 d ahead."),
    ],
)
def test_a_clock_that_is_wrong_is_told_in_words(skew_ms: int | None, words: str) -> None:
    assert clock(skew_ms) == words
