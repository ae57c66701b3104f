"""How the schema names the ways to sign in."""

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

_KEY = "An API key of the project; it needs the scope read for reading."


class KeyScheme(OpenApiAuthenticationExtension):
    """Any one of three headers."""

    target_class = "projects.api.authentication.KeyAuthentication"
    match_subclasses = True
    name = ["bearer", "apiKey", "agentopsApiKey"]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        bearer = {"type": "http", "scheme": "bearer", "description": f"{_KEY} Or a project token."}
        headers = ("x-api-key", "X-Agentops-Api-Key")
        return [bearer, *({"type": "apiKey", "in": "header", "name": name, "description": _KEY} for name in headers)]

    def get_security_requirement(self, auto_schema: AutoSchema) -> list[dict[str, list[Any]]]:
        return [{name: []} for name in self.name]


class PublicKeyScheme(KeyScheme):
    """The same; drf-spectacular wants names of its own for a class of its own."""

    target_class = "compat.contract.PublicKeyAuthentication"
    name = ["publicBearer", "publicApiKey", "publicAgentopsApiKey"]


class SessionScheme(OpenApiAuthenticationExtension):
    target_class = "rest_framework.authentication.SessionAuthentication"
    match_subclasses = True
    priority = 1  # before drf-spectacular's own, which has no description
    name = "sessionAndCsrfToken"

    changes = "Changes also need the header X-CSRFToken with the cookie csrftoken."

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        text = f"The session of the portal's pages. {self.changes}"
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME, "description": text}


class ContractSessionScheme(SessionScheme):
    target_class = "compat.contract.SessionOfThisPortal"
    name = "session"
    changes = "For changes the header Origin must name the portal or an origin of CORS_ALLOWED_ORIGINS."
