import pytest

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
