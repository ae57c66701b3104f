"""What the changes of /api/v1 have in common."""

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from rest_framework import serializers
from rest_framework.request import Request

from projects.access import administered_project, check_owner_of
from projects.api.actor import actor_of


def check_administrator(request: Request, project_id: UUID, **_: Any) -> None:
    """Raises as `administered_project`, which says more than a repeated request needs."""
    administered_project(actor_of(request), project_id)


def check_owner(request: Request, project_id: UUID) -> None:
    """Of a project that a repeated request may find deleted. Raises NotThere and NotAllowed."""
    check_owner_of(actor_of(request), project_id)


def faults_of(error: ValidationError) -> serializers.ValidationError:
    """What a service found wrong, as the API says it: by field where it names one."""
    faults = error.message_dict if hasattr(error, "error_dict") else {"detail": error.messages}
    return serializers.ValidationError({"detail" if name == "__all__" else name: each for name, each in faults.items()})
