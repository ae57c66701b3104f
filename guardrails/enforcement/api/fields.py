"""Fields of requests that hold what people and models said. They take texts as they are, blanks and NUL included.

`are_texts`, `are_objects` and `is_name` are for the short way (door.py): what passes them, a field takes as it is.
"""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers


@extend_schema_field({"type": "array", "items": {"type": "string"}})
class Texts(serializers.Field[list[str], Any, Any, Any]):
    default_error_messages = {"invalid": "Write a list of texts."}

    def to_internal_value(self, data: Any) -> list[str]:
        if not isinstance(data, list) or not all(isinstance(each, str) for each in data):
            self.fail("invalid")
        return data

    def to_representation(self, value: Any) -> Any:
        return value


@extend_schema_field({"type": "array", "items": {"type": "object"}})
class Objects(serializers.Field[list[Any], Any, Any, Any]):
    default_error_messages = {"invalid": "Write a list of JSON objects."}

    def to_internal_value(self, data: Any) -> list[Any]:
        if not isinstance(data, list) or not all(isinstance(each, dict) for each in data):
            self.fail("invalid")
        return data

    def to_representation(self, value: Any) -> Any:
        return value


def are_texts(sent: Any) -> bool:
    return isinstance(sent, list) and all(type(each) is str for each in sent)


def are_objects(sent: Any) -> bool:
    return isinstance(sent, list) and all(type(each) is dict for each in sent)


def is_name(sent: Any, most: int) -> bool:
    """A text that a CharField neither refuses nor changes."""
    return type(sent) is str and len(sent) <= most and sent.isprintable() and sent == sent.strip()
