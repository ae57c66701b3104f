"""Why somebody gets no answer. Rules of access raise these, and each door says them in its own way: pages as Django
does, the APIs in agentops_portal/api/errors.py, sockets and MCP where they answer.
"""

from typing import ClassVar

from django.core.exceptions import PermissionDenied
from django.http import Http404


class Refusal(Exception):
    """str() says why, to whoever asked."""

    status: ClassVar[int]  # of HTTP


class NotSignedIn(Refusal):
    """Nobody knows who asks."""

    status = 401


class NotAllowed(Refusal, PermissionDenied):
    """Who asks may know of it and may not do this."""

    status = 403


class NotThere(Refusal, Http404):
    """There is no such thing, or none that who asks may know of."""

    status = 404
