"""`fields=a,b` and `include=a,b`: what of a thing is answered."""

from collections.abc import Iterable
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers


@extend_schema_field({"type": "string"})
class WordsField(serializers.Field[tuple[str, ...], str, str, Any]):
    """Words of a list, separated by commas."""

    def __init__(self, words: Iterable[str], **kwargs: Any) -> None:
        self.words = tuple(words)
        super().__init__(**{"required": False, "default": (), **kwargs})

    def to_internal_value(self, data: str) -> tuple[str, ...]:
        wanted = tuple(word for part in data.split(",") if (word := part.strip()))
        unknown = [word for word in wanted if word not in self.words]
        if unknown:
            raise serializers.ValidationError(f"There is no {', '.join(unknown)}. There are: {', '.join(self.words)}.")
        return wanted

    def to_representation(self, value: tuple[str, ...]) -> str:
        return ",".join(value)


class SelectedSerializer(serializers.Serializer[Any]):
    """Answers the fields of `context["fields"]`, all of them when there are none."""

    def to_representation(self, instance: Any) -> dict[str, Any]:
        wanted = self.context.get("fields")
        if not wanted:
            return dict(super().to_representation(instance))
        fields = self.fields
        return {name: _value(fields[name], instance) for name in wanted}


def _value(field: serializers.Field[Any, Any, Any, Any], instance: Any) -> Any:
    value = field.get_attribute(instance)
    return None if value is None else field.to_representation(value)
