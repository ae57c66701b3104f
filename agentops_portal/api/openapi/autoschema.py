"""What every endpoint of /api/v1 answers besides its own, so that no view repeats it."""

import re
from typing import Any

from drf_spectacular.openapi import AutoSchema

from . import authentication as authentication  # its classes announce themselves to drf-spectacular

PREFIX = "/api/v1/"
DETAIL = {"type": "object", "properties": {"detail": {"type": "string"}}, "required": ["detail"]}
FAULTS = {
    "type": "object",
    "description": "Each parameter or field with what is wrong with it; `detail` for a body that is no JSON.",
    "additionalProperties": True,
}
ERRORS = {
    "400": ("A parameter or field is wrong; it is named.", FAULTS),
    "401": ("No credential, or one that is wrong, revoked or expired.", DETAIL),
    "403": ("The role or the key's scopes are too low.", DETAIL),
    "404": ("There is no such thing, or it is somebody else's.", DETAIL),
    "413": ("The answer would be too large; ask for less.", DETAIL),
    "429": ("Too many requests; Retry-After says when to come back.", DETAIL),
    "503": ("A store does not answer or cannot take the query now; Retry-After says when to ask again.", DETAIL),
    "504": ("The query took too long; ask for a shorter range.", DETAIL),
}
OF_CHANGES = {
    "409": ("A request with the same Idempotency-Key is being carried out.", DETAIL),
    "422": ("The Idempotency-Key belongs to another request.", DETAIL),
}


# Whose serializers get the name of their API in front: each has a project, a user and a trace of its own. The first
# that fits counts.
FAMILIES = {
    "compat.agentops.auth": "Auth",
    "compat.agentops.opsboard": "Opsboard",
    "compat.monitoring.registry": "",
    "compat.monitoring": "Monitoring",
    "compat.agentops.public": "Public",
    "compat.agentops.v4": "V4",
}


class PortalSchema(AutoSchema):
    """drf-spectacular's, with the common errors of /api/v1 and names that are told apart."""

    def get_serializer_name(self, serializer: Any, direction: Any) -> str:
        name: str = super().get_serializer_name(serializer, direction)
        module = type(serializer).__module__
        family = next((word for package, word in FAMILIES.items() if module.startswith(package)), "")
        return name if name.startswith(family) else f"{family}{name}"

    def get_operation_id(self) -> str:
        """Of views that name none: all words of the address, the names of its parameters included."""
        return "_".join([*re.findall(r"\w+", self.path), self.method_mapping[self.method.lower()]])

    def _map_serializer_field(self, field: Any, direction: Any, bypass_extensions: bool = False) -> dict[str, Any]:
        schema: dict[str, Any] = super()._map_serializer_field(field, direction, bypass_extensions)
        if schema.get("oneOf") == [{}, {"type": "null"}]:
            del schema["oneOf"]  # any value is null too: null would fit both, and so none
        return schema

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        if not self.path.startswith(PREFIX) or direction != "response":
            return bodies
        common = {**ERRORS, **({} if self.method == "GET" else OF_CHANGES)}
        for status, (description, schema) in common.items():
            answer = {"description": description, "content": {"application/json": {"schema": schema}}}
            bodies.setdefault(status, answer)
        return dict(sorted(bodies.items()))
