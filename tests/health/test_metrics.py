import re

import pytest
from django.test import Client
from pytest_django.fixtures import Settings


def sample(text: str, series: str) -> float:
    found = re.search(rf"^{re.escape(series)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def test_requests_are_counted_by_view_method_and_status(client: Client) -> None:
    series = 'portal_http_requests_total{method="GET",status="200",view="health"}'
    before = sample(client.get("/metrics").text, series)
    client.get("/health")
    client.get("/health")
    text = client.get("/metrics").text
    assert sample(text, series) == before + 2
    assert 'portal_http_request_duration_seconds_bucket{le="0.1",view="health"}' in text
    assert "process_resident_memory_bytes" in text


def test_paths_and_methods_of_strangers_make_no_series(client: Client) -> None:
    client.get("/no/such/page")
    client.generic("BREW", "/health")
    text = client.get("/metrics").text
    assert 'view="unmatched"' in text
    assert "such" not in text
    assert "BREW" not in text


def test_other_machines_may_not_read_them(client: Client) -> None:
    assert client.get("/metrics", REMOTE_ADDR="192.0.2.7").status_code == 403


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded"])
def test_a_proxy_on_this_machine_speaks_for_another(client: Client, header: str) -> None:
    assert client.get("/metrics", headers={header: "127.0.0.1"}).status_code == 403


def test_with_a_token_it_is_the_token_that_counts(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = "s3cret"
    assert client.get("/metrics").status_code == 403
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 403
    allowed = client.get("/metrics", headers={"Authorization": "Bearer s3cret"}, REMOTE_ADDR="192.0.2.7")
    assert allowed.status_code == 200
    assert allowed.headers["Content-Type"].startswith("text/plain")
