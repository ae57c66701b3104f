"""Who did it, for the audit."""

from typing import Any

from rest_framework.request import Request

from projects.credentials import Credential
from projects.models import User


def actor_of(request: Request) -> tuple[User | None, dict[str, Any]]:
    """The person, and for a machine the id of its key, as services and `record` take them."""
    if isinstance(request.auth, Credential):
        return None, {"by_key": str(request.auth.key_id)}
    return (request.user if isinstance(request.user, User) else None), {}
