"""/opsboard/users: the person who asks."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from agentops_portal.api.serializers import NameField
from agentops_portal.fields import lower_email
from compat.contract import ContractParameters, ContractValidationError, fault
from compat.contract_schema import StatusSerializer, errors
from projects.services import record

from .access import OpsboardView, actor
from .bodies import UserSerializer, user_body


class UserBody(ContractParameters):
    full_name = NameField(required=False, allow_null=True, allow_blank=True, max_length=150)
    avatar_url = serializers.URLField(required=False, allow_null=True, allow_blank=True, max_length=500)
    survey_is_complete = serializers.BooleanField(required=False, allow_null=True)
    email = serializers.CharField(
        required=False,
        allow_null=True,
        max_length=254,
        help_text="Only the address that you have: it is what you sign in with, and invitations go by it.",
    )


class MeView(OpsboardView):
    @extend_schema(
        tags=["AgentOps opsboard"],
        operation_id="opsboard_users_me",
        summary="Who is signed in",
        responses={200: UserSerializer, **errors()},
    )
    def get(self, request: Request) -> Response:
        return Response(user_body(actor(request)))


class UserUpdateView(OpsboardView):
    @extend_schema(
        tags=["AgentOps opsboard"],
        operation_id="opsboard_users_update",
        summary="Change one's name and picture",
        description="Nulls, and what concerns payment, are ignored.",
        request=UserBody,
        responses={200: UserSerializer, **errors()},
    )
    def post(self, request: Request) -> Response:
        body = UserBody.of_body(request)
        user = actor(request)
        email = body.pop("email", None)
        if email is not None and lower_email(email) != user.email:
            problem = "The e-mail address is what you sign in with: an administrator can change it."
            raise ContractValidationError([fault(["body", "email"], problem, sent=email)])
        changes = {name: value for name, value in body.items() if value is not None}
        for name, value in changes.items():
            setattr(user, name, value)
        if changes:
            user.save(update_fields=list(changes))
            record("user.updated", actor=user, target=user.email, fields=sorted(changes))
        return Response(user_body(user))


class SurveyView(OpsboardView):
    @extend_schema(
        tags=["AgentOps opsboard"],
        operation_id="opsboard_users_complete_survey",
        summary="Do not show the survey again",
        request=None,
        responses={200: StatusSerializer, **errors()},
    )
    def post(self, request: Request) -> Response:
        user = actor(request)
        user.survey_is_complete = True
        user.save(update_fields=["survey_is_complete"])
        return Response({"success": True, "message": "User survey marked complete"})
