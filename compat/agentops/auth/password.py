"""Sign-in and sign-out with the session cookie, and a new password by e-mail."""

from typing import Any

from django.contrib.auth import login, logout
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from agentops_portal.api.serializers import NameField
from compat.contract import ContractParameters, ContractValidationError, SessionOfThisPortal, fault
from compat.contract_schema import StatusSerializer, errors
from projects.accounts import AccountUnavailable, request_password_reset, sign_up
from projects.api.access import IsPerson
from projects.api.throttles import CredentialThrottle, MailThrottle
from projects.forms import LoginForm

from .schema import status_errors
from .status import AuthView, StatusError, done


class LoginBody(ContractParameters):
    email = serializers.CharField(max_length=254)
    password = serializers.CharField(max_length=4096, trim_whitespace=False, write_only=True)


class SignUpBody(ContractParameters):
    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=4096, trim_whitespace=False, write_only=True)
    full_name = NameField(max_length=150)


class AddressBody(ContractParameters):
    email = serializers.EmailField(max_length=254)


class LoginView(AuthView):
    @extend_schema(
        tags=["Authentication"],
        operation_id="auth_login",
        summary="Sign in with e-mail address and password: sets the session cookie",
        request=LoginBody,
        responses={200: StatusSerializer, **status_errors()},
        auth=[],
    )
    def post(self, request: Request) -> Response:
        body = LoginBody.of_body(request)
        form = LoginForm(request._request, data={"username": body["email"], "password": body["password"]})
        if not form.is_valid():
            return _refused(form)
        login(request._request, form.get_user())
        return done("User authenticated successfully.")


def _refused(form: LoginForm) -> Response:
    if form.retry_after is not None:
        message = " ".join(map(str, form.non_field_errors()))
        wait = str(int(form.retry_after.total_seconds()))
        return Response({"success": False, "message": message}, status=429, headers={"Retry-After": wait})
    if form.has_error("__all__", code="unconfirmed"):
        raise StatusError(" ".join(map(str, form.non_field_errors())))
    raise StatusError("Failed to authenticate user.")


class LogoutView(AuthView):
    authentication_classes: Any = (SessionOfThisPortal,)
    permission_classes: Any = (IsPerson,)

    @extend_schema(
        tags=["Authentication"],
        operation_id="auth_logout",
        summary="End the session and clear its cookie",
        request=None,
        responses={200: StatusSerializer, **errors()},
    )
    def post(self, request: Request) -> Response:
        logout(request._request)
        return done("User logged out successfully.")


class PasswordResetView(AuthView):
    throttle_classes = (CredentialThrottle, MailThrottle)

    @extend_schema(
        tags=["Authentication"],
        operation_id="auth_password_reset",
        summary="Send a link to choose a new password",
        description="The answer is the same whether there is an account with this address or not.",
        request=AddressBody,
        responses={200: StatusSerializer, **status_errors(503)},
        auth=[],
    )
    def post(self, request: Request) -> Response:
        body = AddressBody.of_body(request)
        try:
            request_password_reset(body["email"])
        except AccountUnavailable as error:
            raise StatusError(str(error), error.status) from None
        return done("Password reset email sent successfully.")


class SignUpView(AuthView):
    throttle_classes = (CredentialThrottle, MailThrottle)

    @extend_schema(
        tags=["Authentication"],
        operation_id="auth_signup",
        summary="Make an account, where the portal's settings allow it",
        description="The account works once the link in the e-mail was opened. The answer is the same for an address"
        " that has an account already; its owner is told by e-mail.",
        request=SignUpBody,
        responses={200: StatusSerializer, **status_errors(503)},
        auth=[],
    )
    def post(self, request: Request) -> Response:
        body = SignUpBody.of_body(request)
        try:
            problems = sign_up(**body)
        except AccountUnavailable as error:
            raise StatusError(str(error), error.status) from None
        if problems:
            raise ContractValidationError([fault(["body", "password"], problem) for problem in problems])
        return done("User signed up successfully.")
