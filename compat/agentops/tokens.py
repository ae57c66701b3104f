"""POST /v3/auth/token: an API key becomes a project token. GET: is this token good? Bodies are AgentOps' own."""

from datetime import UTC
from typing import Any

import orjson
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compat.contract_schema import DESCRIPTIONS, DetailSerializer, ValidationDetailSerializer
from projects.api.throttles import CredentialThrottle
from projects.credentials import CredentialStoreUnavailable, InvalidCredential, authenticate
from projects.digests import canonical
from projects.tokens import PLAN, InvalidToken, read_project_token, sign_project_token

RETRY_AFTER = {"Retry-After": "5"}


class TokenBody(serializers.Serializer[Any]):
    api_key = serializers.CharField(help_text="The secret of a key: a UUID.")


class TokenSerializer(serializers.Serializer[Any]):
    token = serializers.CharField(help_text="A project token: send it as `Authorization: Bearer …`.")
    project_id = serializers.UUIDField()
    project_prem_status = serializers.ChoiceField(["free", "pro", "enterprise"])


class ErrorSerializer(serializers.Serializer[Any]):
    """`{"error": "<what is wrong>"}`"""

    error = serializers.CharField()


class VerifiedSerializer(serializers.Serializer[Any]):
    message = serializers.CharField()
    payload = serializers.JSONField(help_text="The claims of the token.")
    expires_at = serializers.CharField(help_text="UTC, without an offset.")


def _described(serializer: Any, status: int) -> OpenApiResponse:
    return OpenApiResponse(serializer, description=DESCRIPTIONS[status])


@method_decorator(never_cache, name="dispatch")
class TokenView(APIView):
    """Open to everybody: the key or the token in the request is the proof."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = (CredentialThrottle,)

    @extend_schema(
        tags=["Authentication"],
        operation_id="auth_token",
        summary="A project token for an API key, as the agentops SDK asks for it",
        description="Good for 30 days, unless its key is revoked or its project deleted: then it ends within 30 s.",
        request=TokenBody,
        responses={
            200: TokenSerializer,
            **{status: _described(ErrorSerializer, status) for status in (400, 403, 503)},
            422: _described(ValidationDetailSerializer, 422),
            **{status: _described(DetailSerializer, status) for status in (413, 429)},
        },
        auth=[],
    )
    def post(self, request: Request) -> Response:
        """Body {"api_key": uuid} → {"token", "project_id", "project_prem_status"}; else 400, 403, 422 or 503."""
        key, problem = _posted_key(request)
        if problem is not None:
            return Response({"detail": [problem]}, status=422)
        if canonical(key) is None:
            return Response({"error": "Invalid API key format"}, status=400)
        try:
            credential = authenticate(key, confirmed=True)
        except InvalidCredential:
            return Response({"error": "Invalid API key"}, status=403)
        except CredentialStoreUnavailable as error:
            return Response({"error": str(error)}, status=503, headers=RETRY_AFTER)
        token = sign_project_token(key_id=credential.key_id, project_id=credential.project_id)
        return Response({"token": token, "project_id": str(credential.project_id), "project_prem_status": PLAN})

    @extend_schema(
        tags=["Authentication"],
        operation_id="auth_token_verify",
        summary="Is this project token good?",
        responses={
            200: VerifiedSerializer,
            **{status: _described(DetailSerializer, status) for status in (401, 429, 503)},
        },
        auth=[{"bearer": []}],  # type: ignore[list-item]  # its stub knows names only
    )
    def get(self, request: Request) -> Response:
        """`Authorization: Bearer <token>` → {"message", "payload", "expires_at"}; else 401 or 503."""
        token, problem = _bearer(request.headers.get("Authorization", ""))
        if problem:
            return Response({"detail": problem}, status=401)
        try:
            known = read_project_token(token)
            authenticate(token, confirmed=True)
        except InvalidToken as error:
            return Response({"detail": str(error)}, status=401)
        except InvalidCredential:  # its key was revoked or has expired, or the project is gone
            return Response({"detail": "Invalid token"}, status=401)
        except CredentialStoreUnavailable as error:
            return Response({"detail": str(error)}, status=503, headers=RETRY_AFTER)
        expires_at = known.expires_at.astimezone(UTC).replace(tzinfo=None).isoformat()
        return Response({"message": "JWT token is valid", "payload": known.claims, "expires_at": expires_at})


def _posted_key(request: Request) -> tuple[str, dict[str, Any] | None]:
    """(api_key, None), or ("", what is wrong) in the words of the API that clients know.

    The body counts as JSON whatever its type is called. `input` stays empty: an answer repeats no secret.
    """
    try:
        body = orjson.loads(request.body)
    except orjson.JSONDecodeError as error:
        return "", _problem("json_invalid", ["body", error.pos], "JSON decode error")
    if not isinstance(body, dict):
        return "", _problem("model_attributes_type", ["body"], "Input should be a valid dictionary")
    if "api_key" not in body:
        return "", _problem("missing", ["body", "api_key"], "Field required")
    if not isinstance(body["api_key"], str):
        return "", _problem("string_type", ["body", "api_key"], "Input should be a valid string")
    return body["api_key"], None


def _problem(kind: str, where: list[str | int], message: str) -> dict[str, Any]:
    return {"type": kind, "loc": where, "msg": message, "input": None}


def _bearer(header: str) -> tuple[str, str]:
    """(token, "") or ("", what is wrong with the header)."""
    words = header.split()
    if not words:
        return "", "Authorization header missing"
    if words[0].lower() != "bearer":
        return "", "Invalid authentication scheme"
    if len(words) != 2:
        return "", "Invalid token format"
    return words[1], ""
