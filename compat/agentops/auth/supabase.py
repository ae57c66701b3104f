"""Sign-in through a Supabase project, for people who have an account here: provider, callback page, session.

What the settings do not allow is refused with a reason, in the shape that the dashboard shows.
"""

from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.auth import login
from django.shortcuts import render
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from agentops_portal.api.negotiation import StrictFormParser, StrictJSONParser
from agentops_portal.origins import page_origin
from compat.contract import ContractParameters
from compat.contract_schema import StatusSerializer
from projects.supabase import user_of_token

from .password import AddressBody
from .schema import OAuthAnswerSerializer, status_errors
from .status import AuthView, StatusError, done

NO_SUPABASE: Final = (
    "This portal is not connected to Supabase Auth: sign in with e-mail address and password, or have its"
    " administrator set SUPABASE_URL and SUPABASE_JWT_SECRET."
)
NO_LINKS: Final = "This portal sends no sign-in links: sign in with e-mail address and password."
FAILED: Final = "Failed to authenticate user."  # whatever the reason: nobody learns which addresses have an account
BACKEND: Final = "django.contrib.auth.backends.ModelBackend"


class OAuthBody(ContractParameters):
    provider = serializers.ChoiceField(["google", "github"])
    redirect_to = serializers.CharField(required=False, allow_null=True, max_length=2000)


class SessionBody(ContractParameters):
    access_token = serializers.CharField(max_length=20_000, write_only=True)


class CallbackQuery(ContractParameters):
    redirect_to = serializers.CharField(required=False, allow_blank=True, max_length=2000)
    invite = serializers.CharField(required=False, allow_blank=True, max_length=100)


class OtpView(AuthView):
    @extend_schema(
        tags=["Authentication"],
        operation_id="auth_otp",
        summary="Sign-in links: this portal sends none",
        request=AddressBody,
        responses=status_errors(),
        auth=[],
    )
    def post(self, request: Request) -> Response:
        AddressBody.of_body(request)
        raise StatusError(NO_LINKS)


class CodeView(AuthView):
    @extend_schema(
        tags=["Authentication"],
        operation_id="auth_code",
        summary="The end of a sign-in link: this portal sends none",
        responses=status_errors(),
        auth=[],
    )
    def get(self, request: Request) -> Response:
        raise StatusError(NO_LINKS)


class OAuthView(AuthView):
    @extend_schema(
        tags=["Authentication"],
        operation_id="auth_oauth",
        summary="Begin a sign-in with Google or GitHub through Supabase Auth",
        request=OAuthBody,
        responses={200: OAuthAnswerSerializer, **status_errors()},
        auth=[],
    )
    def post(self, request: Request) -> Response:
        body = OAuthBody.of_body(request)
        if not (settings.SUPABASE_URL and settings.SUPABASE_JWT_SECRET):
            raise StatusError(NO_SUPABASE)
        callback = f"{settings.PORTAL_URL}{reverse('auth-callback')}"
        if target := own_address(body.get("redirect_to") or "") or _dashboard(request):
            callback += "?" + urlencode({"redirect_to": target})
        query = urlencode({"provider": body["provider"], "redirect_to": callback})
        return done("Redirecting to the provider.", url=f"{settings.SUPABASE_URL}/auth/v1/authorize?{query}")


class CallbackView(AuthView):
    @extend_schema(
        tags=["Authentication"],
        operation_id="auth_callback",
        summary="The page to which Supabase Auth sends the browser",
        parameters=[CallbackQuery],
        responses={
            (200, "text/html"): OpenApiResponse(OpenApiTypes.STR, description="Posts its token to /auth/session."),
            **status_errors(),
        },
        auth=[],
    )
    def get(self, request: Request) -> Any:
        query = CallbackQuery.of_query(request)
        if not settings.SUPABASE_JWT_SECRET:
            raise StatusError(NO_SUPABASE)
        target = own_address(query.get("redirect_to") or "") or "/"
        response = render(request._request, "projects/auth_callback.html", {"target": target})
        response["Referrer-Policy"] = "no-referrer"
        return response


class SessionView(AuthView):
    parser_classes: Any = (StrictFormParser, StrictJSONParser)

    @extend_schema(
        tags=["Authentication"],
        operation_id="auth_session",
        summary="Sign in with the access token of Supabase Auth: sets the session cookie",
        request={"application/x-www-form-urlencoded": SessionBody, "application/json": SessionBody},
        responses={200: StatusSerializer, **status_errors()},
        auth=[],
    )
    def post(self, request: Request) -> Response:
        body = SessionBody.of_body(request)
        if not settings.SUPABASE_JWT_SECRET:
            raise StatusError(NO_SUPABASE)
        user = user_of_token(body["access_token"])
        if user is None:
            raise StatusError(FAILED)
        login(request._request, user, backend=BACKEND)
        return done("User authenticated successfully.")


def _dashboard(request: Request) -> str:
    """Where AgentOps' dashboard goes on after a sign-in, if it is what asks; it names no address of its own. "" for the
    portal's own pages.
    """
    asking = page_origin(request.headers)
    if asking in settings.CSRF_TRUSTED_ORIGINS:
        return ""
    return own_address(f"{asking or settings.APP_URL}/projects")


def own_address(address: str) -> str:
    """The address if it is one of this portal or of CORS_ALLOWED_ORIGINS, else "": nobody is sent elsewhere."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    if f"{parts.scheme}://{parts.netloc}" in settings.CORS_ALLOWED_ORIGINS and "\\" not in address:
        return address
    return ""
