"""Who may ask the guardrail, how often, and how much at a time."""

from typing import Any, Final

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from agentops_portal.api.negotiation import strict_json
from projects.access import has_scope
from projects.api.actor import actor_of
from projects.api.throttles import ApiThrottle
from projects.credentials import Credential
from projects.models import KeyScope
from projects.rates import Limit

MAX_BYTES: Final = 4 * 1024 * 1024


class TooLarge(APIException):
    status_code = 413
    default_detail = f"The body is larger than {MAX_BYTES} bytes."
    default_code = "too_large"


class GuardrailParser(BaseParser):
    """JSON of up to MAX_BYTES. No JSONParser: of one REST framework reads the body itself, as long as a form may be."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        return strict_json(stream, MAX_BYTES)


class MayBeGuarded(BasePermission):
    """A key or token with the scope ingest. Nobody: 401; a person, or a key without the scope: 403."""

    message = _("The guardrail needs an API key with the permission to send data.")

    def has_permission(self, request: Request, view: APIView) -> bool:
        actor = actor_of(request)
        return isinstance(actor, Credential) and has_scope(actor, KeyScope.INGEST)


class GuardrailThrottle(ApiThrottle):
    """Each call of a model asks twice, so that its limit is not the API's."""

    def limit(self) -> Limit:
        return guardrail_limit()


def guardrail_limit() -> Limit:
    return Limit("guardrail", settings.GUARDRAIL_REQUESTS_PER_MINUTE)


def checked_size(request: Request) -> None:
    """Raises TooLarge, before the body is read where its length is told."""
    length = request.headers.get("Content-Length", "")
    if length.isdecimal() and int(length[:20]) > MAX_BYTES:
        raise TooLarge


def credential_of(request: Request) -> Credential:
    """Of a request that MayBeGuarded let through."""
    actor = actor_of(request)
    if not isinstance(actor, Credential):
        raise TypeError("no key asks")
    return actor
