"""Who asks, of a request to the API."""

from typing import Any

from rest_framework.request import Request

from projects.credentials import Credential
from projects.models import User
from projects.querysets import Actor


def actor_of(request: Request) -> Actor:
    """The key of the request if it carries one, else the person, else nobody: what QuerySets and access.py take."""
    return request.auth if isinstance(request.auth, Credential) else request.user


def author_of(request: Request) -> tuple[User | None, dict[str, Any]]:
    """The same for the audit: the person, and for a machine the id of its key, as services and `record` take them."""
    actor = actor_of(request)
    if isinstance(actor, Credential):
        return None, {"by_key": str(actor.key_id)}
    return (actor if isinstance(actor, User) else None), {}
