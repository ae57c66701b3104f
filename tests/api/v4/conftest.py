"""Recorded traffic in Alice's project, and a key of it."""

from typing import Any
from uuid import UUID

import pytest

from projects.services import create_api_key
from tests.cast import Cast
from tests.pages.spans import recorded, store

SESSION = "da3ddb1b0c511473c4cfcfa4e671121b"  # of agentops-0.4.21-session
MASKED = "95c31d28b21739cb93431e8f9e5df0a6"  # of litellm-1.106.2-mixed, with a cost


def store_recorded(project_id: UUID, *names: str) -> None:
    for name in names:
        store(project_id, recorded(name))


@pytest.fixture
def secret(cast: Cast) -> str:
    return create_api_key(project=cast.project, name="reader").secret


def answered(answer: Any) -> Any:
    assert answer.status_code == 200, answer.content
    return answer.json()
