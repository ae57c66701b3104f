"""Errors of the API that no view thinks of."""

from typing import Any

from django.db import InterfaceError, OperationalError
from rest_framework.response import Response
from rest_framework.views import exception_handler

from .authentication import StoreUnavailable


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """What DRF answers, and 503 with Retry-After while PostgreSQL is away."""
    if isinstance(error, OperationalError | InterfaceError):
        error = StoreUnavailable()
    return exception_handler(error, context)
