from types import SimpleNamespace

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from projects import credentials
from projects.models import Project
from traces.ingest.otlp import receiver
from traces.ingest.otlp.errors import RateLimited
from traces.ingest.otlp.rate import RateLimiter

from .conftest import PAYLOADS, Receiver, Tenant

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])

BODY = (PAYLOADS / "agentops-0.4.21-session.pb").read_bytes()


@pytest.fixture(autouse=True)
def new_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("traces.ingest.otlp.receiver.limiter", RateLimiter())


def limit(tenant: Tenant, **limits: int) -> None:
    Project.objects.filter(pk=tenant.project_id).update(**limits)
    credentials.forget()


def test_requests_above_the_limit_get_429_with_a_time_to_come_back(otlp: Receiver, tenant: Tenant) -> None:
    limit(tenant, max_requests_per_minute=2)

    answers = [otlp.post(BODY, tenant.key) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 1 <= int(answers[2].headers["retry-after"]) <= 60
    assert b"2 requests per minute" in answers[2].content


def test_a_large_request_passes_and_the_next_one_waits(otlp: Receiver, tenant: Tenant) -> None:
    limit(tenant, max_spans_per_minute=5)  # the body holds 8

    assert [otlp.post(BODY, tenant.key).status_code for _ in range(2)] == [200, 429]


def test_a_share_grows_again(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    # Its own name only: the receiver's event loop, if it saw the clock of all go back, would sleep for hours.
    monkeypatch.setattr("traces.ingest.otlp.rate.time", SimpleNamespace(monotonic=lambda: now[0]))
    limit(tenant, max_requests_per_minute=1200)
    credential = credentials.authenticate(tenant.key)
    limiter = RateLimiter()
    for _ in range(1200):
        limiter.check(credential)
    with pytest.raises(RateLimited, match="1200 requests per minute"):
        limiter.check(credential)

    now[0] += 0.1

    limiter.check(credential)


def test_projects_do_not_share(otlp: Receiver, tenant: Tenant) -> None:
    from projects.services import create_api_key

    limit(tenant, max_requests_per_minute=1)
    other = Project.objects.create(organization=Project.objects.get(pk=tenant.project_id).organization, name="Other")
    other_key = create_api_key(project=other, name="test").secret

    assert [otlp.post(BODY, key).status_code for key in (tenant.key, other_key, other_key)] == [200, 200, 200]


def test_a_project_without_limits_has_none(otlp: Receiver, tenant: Tenant) -> None:
    request = ExportTraceServiceRequest.FromString(BODY)
    headers = {"authorization": f"Bearer {tenant.key}", "content-type": "application/x-protobuf"}
    with httpx.Client(headers=headers) as client:
        for number in range(30):
            request.resource_spans[0].resource.attributes.add(key="n").value.int_value = number
            answer = client.post(f"{otlp.url}/v1/traces", content=request.SerializeToString())
            assert answer.status_code == 200
    receiver.committer().settle()
