"""How the errors below /auth are described in the OpenAPI document."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiResponse, PolymorphicProxySerializer
from rest_framework import serializers

from compat.contract_schema import DESCRIPTIONS, DetailSerializer, StatusSerializer, errors


class OAuthAnswerSerializer(StatusSerializer):
    url = serializers.URLField(help_text="Where to send the browser.")


STATUS_OR_DETAIL: Final = PolymorphicProxySerializer(
    component_name="StatusOrDetail",
    serializers={"status": StatusSerializer, "detail": DetailSerializer},
    resource_type_field_name=None,
)


def status_errors(*statuses: int) -> dict[int, Any]:
    """Every failure is told as a status; 403, 413 and 504, which are no matter of signing in, as `detail`."""
    either = {
        status: OpenApiResponse(STATUS_OR_DETAIL, description=DESCRIPTIONS[status]) for status in (401, 429, *statuses)
    }
    return {**errors(), **either}
