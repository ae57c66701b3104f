"""Langfuse's address of the receiver, for its SDKs: LANGFUSE_HOST is the portal, LANGFUSE_SECRET_KEY an API key.

The key comes as the password of HTTP Basic; any public key will do. Beside sending, the SDK asks for the key's project:
`auth_check()` does, and `get_trace_url()`. https://api.reference.langfuse.com
"""

from typing import Any

from django.db import Error as DatabaseError

from projects.credentials import Credential
from projects.models import Project

from .errors import Unauthenticated, Unavailable

PREFIX = "/api/public/otel"  # before the path of a signal
PROJECTS = "/api/public/projects"


def projects_of(credential: Credential) -> dict[str, Any]:
    """The answer to `GET /api/public/projects`: the one project of a key. Raises Unauthenticated, Unavailable."""
    try:
        project = Project.objects.select_related("organization").get(pk=credential.project_id)
    except Project.DoesNotExist:
        raise Unauthenticated("This API key's project was deleted.") from None
    except DatabaseError:
        raise Unavailable("The project cannot be read now. Try again.") from None
    organization = {"id": str(project.organization_id), "name": project.organization.name}
    return {"data": [{"id": str(project.pk), "name": project.name, "organization": organization, "metadata": {}}]}
