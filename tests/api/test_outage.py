import pytest
from django.db import OperationalError, connection, transaction

from agentops_portal.api.errors import handle
from projects.services import create_api_key
from tests.cast import Cast
from tests.outage import Outage

from .conftest import Get

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("known", [True, False])
def test_without_postgresql_keys_get_503_and_never_401(cast: Cast, get: Get, outage: Outage, known: bool) -> None:
    secret = create_api_key(project=cast.project, name="reader").secret
    address = f"/api/v1/projects/{cast.project.pk}/ingest-receipts"
    if known:
        assert get(address, key=secret).status_code == 200

    with outage():
        answer = get(address, key=secret)

    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "PostgreSQL does not answer" in answer.json()["detail"]


def test_a_statement_that_failed_is_a_fault_and_no_outage() -> None:
    """The API and the pages have one rule (agentops_portal/outage.py): 503 would have clients try again for ever."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 1")
        with pytest.raises(OperationalError) as caught, transaction.atomic():
            cursor.execute("SELECT pg_sleep(5)")

    assert handle(caught.value, {}) is None
