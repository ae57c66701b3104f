"""ClickHouse away, for real: what needs it is 503 and says when to come back, the rest works on."""

import pytest
from django.db import connections

from tests.api.conftest import Get
from tests.cast import Cast
from tests.services import free_ports

from .conftest import OCTOBER
from .test_access import ALL

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])


def test_without_clickhouse_an_answer_says_when_to_ask_again(
    cast: Cast, get: Get, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connections["clickhouse"].settings_dict, "PORT", str(free_ports(1)[0]))

    for path in ALL:
        answer = get(f"{at}/{path}", person="bo")
        assert (answer.status_code, answer["Retry-After"]) == (503, "5"), path
        assert list(answer.json()) == ["detail"]
        assert "127.0.0.1" not in answer.json()["detail"]
    assert get(at, person="bo").status_code == 200
    assert get(f"{at}/ingest-receipts", person="bo").status_code == 200
    assert get(f"{at}/traces?status=x&{OCTOBER}", person="bo").status_code == 400
