import re

import httpx
import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from tests.receiver import Receiver


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


# What tells that somebody else asks: a proxy, a script of a web page, a page whose own name was made to point here.
FOREIGN = [
    {"X-Forwarded-For": "127.0.0.1"},
    {"X-Forwarded-Host": "localhost"},
    {"X-Real-IP": "127.0.0.1"},
    {"Forwarded": "for=127.0.0.1"},
    {"Via": "1.1 proxy"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Host": "evil.example"},
    {"Host": "localhost.evil.example:8003"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_whoever_asks_for_another_may_not_read_them(client: Client, headers: dict[str, str]) -> None:
    refused = client.get("/metrics", headers=headers)
    assert refused.status_code in (400, 403)  # 400: Django believes no foreign Host anywhere
    assert "portal_http" not in refused.text


@pytest.mark.django_db
@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_the_receiver_has_the_same_rules(otlp: Receiver, headers: dict[str, str]) -> None:
    refused = httpx.get(f"{otlp.url}/metrics", headers=headers)
    assert refused.status_code == 403
    assert "access-control-allow-origin" not in refused.headers
    assert "METRICS_TOKEN" in refused.text


@pytest.mark.django_db
def test_any_host_elsewhere_is_not_any_host_here(otlp: Receiver, client: Client, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    assert client.get("/metrics", headers={"Host": "evil.example"}).status_code == 403
    assert httpx.get(f"{otlp.url}/metrics", headers={"Host": "evil.example"}).status_code == 403


@pytest.mark.django_db
@pytest.mark.parametrize("host", ["localhost:4318", "127.0.0.1:4318", "[::1]:4318", "LOCALHOST"])
def test_the_receiver_answers_this_machine_and_no_web_page(otlp: Receiver, host: str) -> None:
    answer = httpx.get(f"{otlp.url}/metrics", headers={"Host": host})
    assert answer.status_code == 200
    assert "otlp_requests_total" in answer.text
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"])
def test_every_address_of_this_machine_for_itself_counts(client: Client, peer: str) -> None:
    assert client.get("/metrics", REMOTE_ADDR=peer).status_code == 200


@pytest.mark.parametrize("peer", ["192.0.2.7", "::ffff:192.0.2.7", "2001:db8::1", "", "unix:"])
def test_no_other_address_does(client: Client, peer: str) -> None:
    assert client.get("/metrics", REMOTE_ADDR=peer).status_code == 403


@pytest.mark.django_db
def test_with_a_token_it_is_the_token_that_counts(client: Client, otlp: Receiver, settings: Settings) -> None:
    settings.METRICS_TOKEN = "s3cret"
    right = {"Authorization": "Bearer s3cret", "X-Forwarded-For": "192.0.2.7"}
    for value in ("", "Bearer wrong", "s3cret", "Basic s3cret"):
        wrong = {"Authorization": value}
        assert client.get("/metrics", headers=wrong).status_code == 403
        assert httpx.get(f"{otlp.url}/metrics", headers=wrong).status_code == 403
    allowed = client.get("/metrics", headers=right, REMOTE_ADDR="192.0.2.7")
    assert allowed.status_code == 200
    assert allowed.headers["Content-Type"].startswith("text/plain")
    assert httpx.get(f"{otlp.url}/metrics", headers=right).status_code == 200
