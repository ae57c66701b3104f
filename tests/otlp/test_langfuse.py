"""Langfuse's SDK with the portal as its host: what the SDK (5.0) sends and asks, and with which headers."""

import asyncio
from base64 import b64encode

import httpx
import pytest

from agentops_portal.asgi import application as web_process
from projects.models import Project

from .conftest import PAYLOADS, Receiver, Tenant
from .rows import assert_stored, stored_spans

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])

BODY = (PAYLOADS / "agentops-0.4.21-session.pb").read_bytes()
DOOR = "/api/public/otel/v1/traces"
HEADERS = {
    "x-langfuse-sdk-name": "python",
    "x-langfuse-sdk-version": "5.0.4",
    "x-langfuse-public-key": "pk-lf-any",
    "x-langfuse-ingestion-version": "4",
}


def basic(secret: str) -> dict[str, str]:
    return {**HEADERS, "authorization": "Basic " + b64encode(f"pk-lf-any:{secret}".encode()).decode()}


def test_spans_come_in_with_the_key_as_secret(otlp: Receiver, tenant: Tenant) -> None:
    assert otlp.post(BODY, None, DOOR, **basic(tenant.key)).status_code == 200
    assert assert_stored(BODY, tenant.project_id) == 8


@pytest.mark.parametrize("pair", ["pk-lf-any", "pk-lf-any:", "pk-lf-any:sk-lf-wrong", ":" * 5000, "\udcff"])
def test_a_wrong_secret_is_refused(pair: str, otlp: Receiver, tenant: Tenant) -> None:
    encoded = b64encode(pair.encode("utf-8", "surrogateescape")).decode()
    for authorization in (f"Basic {encoded}", "Basic ???", "Basic"):
        assert otlp.post(BODY, None, DOOR, authorization=authorization).status_code == 401
    assert stored_spans(tenant.project_id) == {}


def test_a_password_opens_no_other_address(otlp: Receiver, tenant: Tenant) -> None:
    assert otlp.post(BODY, None, **basic(tenant.key)).status_code == 401


def test_the_check_of_the_key_finds_its_project(otlp: Receiver, tenant: Tenant) -> None:
    project = Project.objects.select_related("organization").get(pk=tenant.project_id)
    expected = {
        "id": str(project.pk),
        "name": "Support",
        "organization": {"id": str(project.organization_id), "name": "Acme"},
        "metadata": {},
    }

    async def ask_the_web_process() -> httpx.Response:
        transport = httpx.ASGITransport(app=web_process)
        async with httpx.AsyncClient(transport=transport, base_url="http://portal") as client:
            return await client.get("/api/public/projects", headers=basic(tenant.key))

    for answer in (
        httpx.get(f"{otlp.url}/api/public/projects", headers=basic(tenant.key)),
        asyncio.run(ask_the_web_process()),
    ):
        assert (answer.status_code, answer.json()) == (200, {"data": [expected]})
    refused = httpx.get(f"{otlp.url}/api/public/projects", headers=basic("sk-lf-wrong"))
    assert (refused.status_code, refused.headers["content-type"]) == (401, "application/json")
