"""Pytest plugin: a real receiver on a free port, in this process, over the test databases, and a project to send to."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import httpx
import pytest
import uvicorn
from django.db import connections
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from guardrails.enforcement import ledger as decisions
from projects import credentials
from projects.credentials import Credential
from projects.models import Organization, Project
from projects.services import create_api_key
from traces.ingest.inbox import keeper, settling
from traces.ingest.inbox import worker as decoder
from traces.ingest.inbox.table import Entry
from traces.ingest.otlp import receiver
from traces.ingest.otlp.http import application
from traces.ingest.otlp.request import PROTOBUF, read_request
from traces.ingest.receipts import booking as receipts

PAYLOADS = Path(__file__).parent / "payloads"
# Projects whose spans are for reading, and the requests with which they came (tests/kept.py).
KEPT: dict[UUID, tuple[ExportTraceServiceRequest, ...]] = {}


@dataclass
class Receiver:
    url: str

    def post(self, body: bytes, key: str | None, path: str = "/v1/traces", **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named.setdefault("content-type", "application/x-protobuf")
        if key is not None:
            named.setdefault("authorization", f"Bearer {key}")
        answer = httpx.post(f"{self.url}{path}", content=body, headers=named, timeout=30)
        receiver.committer().settle()  # so that what was acknowledged can be read
        return answer


def entry_of(project_id: UUID, body: bytes, content_type: str = PROTOBUF) -> Entry:
    credential = Credential(project_id=project_id, key_id=UUID(int=1), scopes=frozenset({"ingest"}))
    return Entry.of(credential, read_request(body, content_type, project_id), len(body))


def store_body(project_id: UUID, body: bytes, content_type: str = PROTOBUF) -> None:
    """What the receiver does with an authenticated request; returns when its spans can be read."""
    assert project_id not in KEPT, "other tests read this project: store in one that is new"
    receiver.committer().submit(entry_of(project_id, body, content_type)).result(timeout=30)
    receiver.committer().settle()


@dataclass
class Tenant:
    project_id: UUID
    key: str


@pytest.fixture(scope="session", autouse=True)
def _nothing_behind_a_tests_back() -> Iterator[None]:
    """Receipts would be written while a test has no database; test_receipts.py writes its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(receipts, "FLUSH_SECONDS", 3600)
        patch.setattr(keeper, "LOOK_SECONDS", 3600)
        patch.setattr(decoder, "PACE_SECONDS", 0)
        patch.setattr(decisions, "PACE_SECONDS", 3600)
        patch.setattr(settling, "alone", lambda: nullcontext(True))  # a worker has a store of its own
        yield


@pytest.fixture(scope="session")
def receiver_server(django_db_setup: None) -> Iterator[Receiver]:
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)  # else they outlive the test database
    server = uvicorn.Server(uvicorn.Config(application, host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    while not server.started:
        thread.join(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield Receiver(f"http://127.0.0.1:{port}")
    server.should_exit = True
    thread.join()
    receiver.forget()
    monkeypatch.undo()


@pytest.fixture
def otlp(receiver_server: Receiver) -> Receiver:
    return receiver_server


@pytest.fixture
def tenant(db: None, monkeypatch: pytest.MonkeyPatch) -> Tenant:
    """A project, and a key that this process knows already.

    The receiver looks credentials up on threads of its own, which see committed rows only: a test of what is not in
    the cache is transactional.
    """
    project = Project.objects.create(
        organization=Organization.objects.create(name="Acme"), name="Support", environment="production"
    )
    issued = create_api_key(project=project, name="test")
    for limit in ("ASK_AGAIN_SECONDS", "FRESH_SECONDS"):  # a slow machine takes longer for a test than they last
        monkeypatch.setattr(credentials, limit, 3600.0)
    credentials.authenticate(issued.secret)
    return Tenant(project.pk, issued.secret)
