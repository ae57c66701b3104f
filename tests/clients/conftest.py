"""Real clients against the portal's real processes; nothing leaves 127.0.0.1."""

from collections.abc import Iterator

import pytest

from projects.models import Organization, Project
from projects.services import create_api_key
from tests.servers import RECEIVER, WEB, granian
from tests.services import free_ports

from .fake_openai import fake_openai
from .portal import Portal


@pytest.fixture(scope="session")
def processes(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, str]]:
    """Base URLs of web, receiver and the receiver's gRPC door."""
    logs = tmp_path_factory.mktemp("portal")
    grpc_port = free_ports(1)[0]
    with granian(WEB, logs / "web.log") as web, granian(RECEIVER, logs / "receiver.log", grpc_port) as receiver:
        yield web, receiver, f"http://127.0.0.1:{grpc_port}"


@pytest.fixture(scope="session")
def openai_url() -> Iterator[str]:
    with fake_openai() as url:
        yield url


@pytest.fixture
def portal(processes: tuple[str, str, str], transactional_db: None) -> Portal:
    """The processes read what the test writes, so its rows must be committed."""
    project = Project.objects.create(organization=Organization.objects.create(name="Acme"), name="agent-portal")
    key = create_api_key(project=project, name="client").secret
    return Portal(*processes, project_id=project.pk, key=key)
