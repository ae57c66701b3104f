from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from projects.models import User
from projects.services import create_api_key
from tests.cast import Cast, make_cast
from traces.models import IngestReceipt

HOUR = datetime(2026, 11, 23, 14, tzinfo=UTC)
LIST = "/admin/traces/ingestreceipt/"


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


@pytest.fixture
def root(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.root)
    return client


@pytest.fixture
def receipts(cast: Cast) -> list[IngestReceipt]:
    return [
        IngestReceipt.objects.create(
            key=create_api_key(project=project, name=name).key,
            hour=HOUR,
            accepted_spans=1234,
            refused={"too_large": 2, "bad_data": 5},
            first_seen_at=HOUR,
            last_seen_at=HOUR,
        )
        for name, project in (("ours", cast.project), ("theirs", cast.foreign_project))
    ]


def names(client: Client, query: str) -> list[str]:
    answer = client.get(LIST + query)
    assert answer.status_code == 200
    return sorted(receipt.key.name for receipt in answer.context["cl"].result_list)


def test_receipts_are_there_to_read_only(root: Client, receipts: list[IngestReceipt]) -> None:
    page = root.get(LIST).content.decode()

    assert "1234" in page
    assert ">7<" in page
    assert root.get(f"{LIST}{receipts[0].pk}/change/").status_code == 200
    assert root.get(f"{LIST}add/").status_code == 403
    assert root.post(f"{LIST}{receipts[0].pk}/change/", {"accepted_spans": 1}).status_code == 403
    assert root.post(f"{LIST}{receipts[0].pk}/delete/", {"post": "yes"}).status_code == 403


def test_they_are_found_by_project_key_and_hour(root: Client, cast: Cast, receipts: list[IngestReceipt]) -> None:
    assert names(root, "") == ["ours", "theirs"]
    assert names(root, f"?key__project__id__exact={cast.project.pk}") == ["ours"]
    assert names(root, f"?key__id__exact={receipts[1].key_id}") == ["theirs"]
    assert names(root, "?hour_from_0=2026-11-23&hour_from_1=15:00:00") == []


def test_they_are_never_counted(root: Client, receipts: list[IngestReceipt]) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        root.get(LIST)

    assert not [query for query in queries if "COUNT(" in query["sql"] and "ingestreceipt" in query["sql"]]


def test_staff_without_the_permission_see_none(cast: Cast, receipts: list[IngestReceipt]) -> None:
    User.objects.filter(pk=cast.bob.pk).update(is_staff=True)
    client = Client()
    client.force_login(cast.bob)

    assert client.get(LIST).status_code == 403
