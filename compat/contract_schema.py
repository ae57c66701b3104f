"""How the errors of the contract views (contract.py) are described in the OpenAPI document."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers

JSON_VALUE: Final = {"nullable": True, "description": "Any JSON value."}


class DetailSerializer(serializers.Serializer[Any]):
    """`{"detail": "<what is wrong>"}`"""

    detail = serializers.CharField()


class FaultSerializer(serializers.Serializer[Any]):
    """One thing that is wrong with a request, as FastAPI says it."""

    type = serializers.CharField(help_text="A name for the kind of fault, such as `missing`.")
    loc = serializers.ListField(
        child=serializers.JSONField(), help_text="`query` or `body`, then the field's name and, in lists, the index."
    )
    msg = serializers.CharField()
    input = serializers.JSONField(allow_null=True, help_text="What was sent; null when it is missing or a secret.")


class ValidationDetailSerializer(serializers.Serializer[Any]):
    """`{"detail": [<fault>, …]}`"""

    detail = FaultSerializer(many=True)


class StatusSerializer(serializers.Serializer[Any]):
    """How an action ended."""

    success = serializers.BooleanField()
    message = serializers.CharField(allow_null=True)


DESCRIPTIONS: Final = {
    400: "The request cannot be carried out as it stands.",
    401: "No credential, or one that does not count any more.",
    403: "The credential does not allow this.",
    404: "There is no such object, or it belongs to others.",
    405: "The address does not take this method.",
    409: "The request does not fit the present state.",
    413: "The body, or the answer, is too large.",
    422: "A parameter is missing or wrong; `loc` names it.",
    429: "Too many requests: wait for `Retry-After` seconds.",
    501: "This portal is not set up for this.",
    503: "A store does not answer: try again after `Retry-After` seconds.",
    504: "The query took too long: ask for a shorter time range.",
}
# What every contract view may answer, whatever it does.
COMMON: Final = (401, 403, 413, 422, 429, 503, 504)


def errors(*statuses: int) -> dict[int, OpenApiResponse]:
    """For `responses={200: …, **errors(404)}`: the given statuses and those that every contract view may answer."""
    return {
        status: OpenApiResponse(
            ValidationDetailSerializer if status == 422 else DetailSerializer, description=DESCRIPTIONS[status]
        )
        for status in sorted({*COMMON, *statuses})
    }
