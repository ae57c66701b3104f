"""What serializers of the API share."""

from datetime import UTC
from typing import Any

from django.db import models
from rest_framework import serializers

from agentops_portal.fields import validate_name


class UtcDateTimeField(serializers.DateTimeField):
    """Times leave in UTC, `2026-11-23T09:00:00Z`, whatever the time zone of the person whose session asks."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(default_timezone=UTC, **kwargs)


class NameField(serializers.CharField):
    """A name in one line, see `validate_name`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validators=[validate_name], **kwargs)


class PortalModelSerializer(serializers.ModelSerializer[Any]):
    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.DateTimeField: UtcDateTimeField,
    }
