"""What the endpoints that today's clients know have in common: /auth, /opsboard, /v4, /api/monitoring and /public/v1.

They answer in the shapes that those clients read: errors are `{"detail": …}`, faults of parameters 422. Our own REST
API, /api/v1, follows access.py and parameters.py instead.
"""

from typing import Any, Final

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http.response import HttpResponseBase
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from agentops_portal.api.errors import handle
from agentops_portal.api.negotiation import LenientNegotiation, StrictJSONParser
from agentops_portal.origins import is_own_page, page_origin
from projects.access import visible_project
from projects.api.access import MayRead
from projects.api.actor import actor_of
from projects.api.authentication import KeyAuthentication
from projects.credentials import Credential, secret_from_headers
from projects.models import Project, User

from .contract_parameters import ContractMomentField, ContractParameters, ContractValidationError, fault, faults_of

__all__ = [
    "ContractError",
    "ContractMomentField",
    "ContractParameters",
    "ContractValidationError",
    "ContractView",
    "PublicView",
    "SessionOfThisPortal",
    "contract_project",
    "fault",
]

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
# Prompts and keys are in these answers: nobody on the way keeps one.
HEADERS: Final = {
    "Cache-Control": "no-store, no-cache, must-revalidate, max-age=0",
    "Pragma": "no-cache",
    "Expires": "0",
}


class ContractError(APIException):
    """`ContractError(404, "Trace not found")` is answered as 404 `{"detail": "Trace not found"}`."""

    def __init__(self, status: int, text: str, wait: int | None = None) -> None:
        super().__init__(text)
        self.status_code = status
        self.wait = wait  # seconds, for the header Retry-After


class SessionOfThisPortal(BaseAuthentication):
    """The session cookie. These clients know no CSRF token: a request that changes something must say, in Origin or
    Referer, that it comes from a page of this portal or of an origin that the settings trust; else 403.
    """

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        user = getattr(request._request, "user", None)
        if not isinstance(user, User) or not user.is_active:
            return None
        if request.method not in SAFE_METHODS and not comes_from_a_known_page(request):
            raise exceptions.PermissionDenied(
                "This request does not come from a page of this portal: its header Origin must name the portal, or an"
                " origin of the setting CORS_ALLOWED_ORIGINS."
            )
        return user, None

    def authenticate_header(self, request: Request) -> str:
        return 'Session realm="api"'  # without one, DRF would answer 403 to strangers


def comes_from_a_known_page(request: Request) -> bool:
    """Whether Origin, else Referer, names this portal or an origin of its settings."""
    return is_own_page(page_origin(request.headers), host=request.get_host(), scheme=request.scheme or "")


class ContractView(APIView):
    """JSON in and out, for a key or project token, else for the session cookie; `MayRead` unless a view says more."""

    authentication_classes: Any = (KeyAuthentication, SessionOfThisPortal)
    permission_classes: Any = (MayRead,)
    parser_classes: Any = (StrictJSONParser,)
    content_negotiation_class = LenientNegotiation
    metadata_class = None  # OPTIONS is for preflights, which the CORS middleware answers

    def get_exception_handler(self) -> Any:
        return contract_errors

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        answer: HttpResponseBase = super().finalize_response(request, response, *args, **kwargs)
        for name, value in HEADERS.items():
            answer.headers.setdefault(name, value)
        return answer


def contract_errors(error: Exception, context: dict[str, Any]) -> Response | None:
    """`{"detail": …}` for whatever `errors.handle` knows; faults of parameters and bodies are 422."""
    if isinstance(error, exceptions.ValidationError):
        error = ContractValidationError(faults_of(error.detail, "body"))
    elif isinstance(error, exceptions.ParseError):
        error = ContractValidationError([fault(["body"], str(error.detail), kind="json_invalid")])
    elif isinstance(error, exceptions.NotAuthenticated):
        error.detail = exceptions.ErrorDetail(_who_is_not_there(context["request"]), error.default_code)
    response = handle(error, context)
    if response is not None and isinstance(error, ContractValidationError):
        response.data = {"detail": error.faults}
    return response


def _who_is_not_there(request: Request) -> str:
    if settings.SESSION_COOKIE_NAME in request.COOKIES:
        return "User's session has expired."
    return "User is not authenticated."


class PublicKeyAuthentication(BaseAuthentication):
    """A key or project token and nothing else. Without a good one it is 400, as the clients of /public/v1 expect."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Credential]:
        if secret_from_headers(request.headers) is None:
            raise ContractError(400, "Missing or invalid Authorization header")
        try:
            found = KeyAuthentication().authenticate(request)
        except exceptions.AuthenticationFailed:
            found = None
        if found is None:
            raise ContractError(400, "Invalid Bearer token")
        return found


class PublicView(ContractView):
    """Base of /public/v1."""

    authentication_classes: Any = (PublicKeyAuthentication,)


def contract_project(request: Request, project_id: str, message: str = "Project not found") -> Project:
    """The project that the key belongs to, or that the user sees. Raises NotThere for all others, and for what is not
    an id at all.
    """
    return visible_project(actor_of(request), project_id, missing=message)
