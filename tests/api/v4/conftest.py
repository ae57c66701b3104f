"""Recorded traffic in Alice's project, and a key of it."""

from typing import Any

import pytest

from projects.services import create_api_key
from tests.cast import Cast

SESSION = "da3ddb1b0c511473c4cfcfa4e671121b"  # of agentops-0.4.21-session
MASKED = "95c31d28b21739cb93431e8f9e5df0a6"  # of litellm-1.106.2-mixed, with a cost


@pytest.fixture
def secret(cast: Cast) -> str:
    return create_api_key(project=cast.project, name="reader").secret


def answered(answer: Any) -> Any:
    assert answer.status_code == 200, answer.content
    return answer.json()
