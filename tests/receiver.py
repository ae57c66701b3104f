"""Pytest plugin: a real receiver on a free port, in this process, over the test databases, and a project to send to."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import httpx
import pytest
import uvicorn
from django.db import connections

from projects.models import Organization, Project
from projects.services import create_api_key
from traces.otlp import receipts, receiver
from traces.otlp.http import application

PAYLOADS = Path(__file__).parent / "payloads"


@dataclass
class Receiver:
    url: str

    def post(self, body: bytes, key: str | None, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named.setdefault("content-type", "application/x-protobuf")
        if key is not None:
            named.setdefault("authorization", f"Bearer {key}")
        return httpx.post(f"{self.url}/v1/traces", content=body, headers=named, timeout=30)


@dataclass
class Tenant:
    project_id: UUID
    key: str


@pytest.fixture(scope="session")
def receiver_server(django_db_setup: None) -> Iterator[Receiver]:
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)  # else they outlive the test database
    # No receipts behind the back of a test that has no database; test_receipts.py writes its own.
    monkeypatch.setattr(receipts, "FLUSH_SECONDS", 3600)
    server = uvicorn.Server(uvicorn.Config(application, host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    while not server.started:
        thread.join(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield Receiver(f"http://127.0.0.1:{port}")
    server.should_exit = True
    thread.join()
    receiver.committer.cache_clear()
    monkeypatch.undo()


@pytest.fixture
def otlp(receiver_server: Receiver, transactional_db: None) -> Receiver:
    # Credentials are looked up on the receiver's own threads, so the rows must be committed.
    return receiver_server


@pytest.fixture
def tenant(transactional_db: None) -> Tenant:
    project = Project.objects.create(
        organization=Organization.objects.create(name="Acme"), name="Support", environment="production"
    )
    issued = create_api_key(project=project, name="test")
    return Tenant(project.pk, issued.secret)
