"""POST /public/v1/auth/access_token: the public API's way from an API key to a project token."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from agentops_portal.api.unavailable import StoreUnavailable
from compat.contract import ContractError, ContractParameters, ContractView
from compat.contract_schema import errors
from projects.api.throttles import CredentialThrottle
from projects.credentials import CredentialStoreUnavailable, InvalidCredential, authenticate
from projects.digests import canonical
from projects.tokens import sign_project_token


class AccessTokenBody(ContractParameters):
    api_key = serializers.CharField(allow_blank=True, max_length=1000, write_only=True)


class AccessTokenSerializer(serializers.Serializer[Any]):
    bearer = serializers.CharField(help_text="A project token: send it as `Authorization: Bearer …`.")


class AccessTokenView(ContractView):
    """Open to everybody: the key in the body is the proof."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = (CredentialThrottle,)

    @extend_schema(
        tags=["AgentOps public"],
        operation_id="public_access_token",
        summary="A project token for an API key",
        description="Good for 30 days, unless its key is revoked or its project deleted before.",
        request=AccessTokenBody,
        responses={200: AccessTokenSerializer, **errors(400, 404)},
        auth=[],
    )
    def post(self, request: Request) -> Response:
        key = AccessTokenBody.of_body(request)["api_key"]
        if not key:
            raise ContractError(400, "api_key is required")
        if canonical(key) is None:
            raise ContractError(400, "Invalid api_key format")
        try:
            credential = authenticate(key, confirmed=True)
        except InvalidCredential:
            raise ContractError(404, "Project not found") from None
        except CredentialStoreUnavailable as error:
            raise StoreUnavailable(str(error)) from None
        return Response({"bearer": sign_project_token(key_id=credential.key_id, project_id=credential.project_id)})
