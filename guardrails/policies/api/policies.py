"""/api/v1/projects/{id}/policies: which figures are watched, and how far they may go."""

from datetime import UTC
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from agentops_portal.api.paging import NewestFirstParameters, newest_first, page_of
from agentops_portal.api.parameters import Parameters
from agentops_portal.api.serializers import NameField, PortalModelSerializer
from agentops_portal.fields import lower_email, validate_timezone
from guardrails.database_clock import database_now
from guardrails.incidents.models import Channel, Severity
from projects.access import administered_project, person, visible_project
from projects.api.access import MayReadPeopleChange
from projects.api.actor import actor_of
from projects.api.idempotency import PARAMETER, idempotent
from projects.api.v1.access import check_administrator, faults_of
from projects.models import Project, User

from .. import services
from ..access import administered_policy, visible_policy
from ..kinds import Dimension, Kind, Window
from ..models import Policy

TAG = ["Policies"]
ADMINISTRATORS = "For owners and admins of the organization."
_SHARE = "Shares are between 0 and 1, costs are US dollars, rates are numbers within the window."


class AmountField(serializers.DecimalField):
    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=24, decimal_places=6, min_value=Decimal(0), normalize_output=True, **options)


class PolicySerializer(PortalModelSerializer):
    covers = serializers.SerializerMethodField(help_text="project, or organization: each of its projects.")
    threshold = AmountField(help_text=_SHARE)
    warn_at = AmountField(allow_null=True, help_text="Of a cost budget: opens a warning before the limit.")
    resolve_at = AmountField(allow_null=True, help_text="How far the figure must come back.")
    weekdays = serializers.ListField(child=serializers.IntegerField(), help_text="1 is Monday.")
    muted_until = serializers.DateTimeField(allow_null=True, default_timezone=UTC)
    owner = serializers.EmailField(source="owner.email", allow_null=True, default=None)
    contacts = serializers.SerializerMethodField(help_text="How many are told, by channel.")

    class Meta:
        model = Policy
        fields = (
            *("id", "covers", "name", "kind", "dimension", "window", "threshold", "warn_at", "resolve_at"),
            *("min_volume", "cool_down_minutes", "severity", "owner", "weekdays", "from_hour", "until_hour"),
            *("timezone", "muted_until", "is_enabled", "problem", "contacts", "created_at"),
        )

    def get_covers(self, policy: Policy) -> str:
        return "project" if policy.project_id else "organization"

    def get_contacts(self, policy: Policy) -> dict[str, int]:
        channels = [each.channel for each in policy.contacts.all()]
        return {channel: channels.count(channel) for channel in Channel.values if channel in channels}


class PolicyChanges(Parameters):
    name = NameField(max_length=120, required=False)
    kind = serializers.ChoiceField(Kind.choices, required=False)
    dimension = serializers.ChoiceField(Dimension.choices, required=False, help_text="Of a cost budget.")
    window = serializers.ChoiceField(
        Window.choices, required=False, help_text="hour, day, week and month are of cost budgets, the others are not."
    )
    threshold = AmountField(required=False, help_text=_SHARE)
    warn_at = AmountField(required=False, allow_null=True)
    resolve_at = AmountField(required=False, allow_null=True)
    min_volume = serializers.IntegerField(min_value=0, max_value=2**31 - 1, required=False)
    cool_down_minutes = serializers.IntegerField(min_value=0, max_value=7 * 24 * 60, required=False)
    severity = serializers.ChoiceField(Severity.choices, required=False)
    weekdays = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=7), required=False, max_length=7, min_length=1
    )
    from_hour = serializers.IntegerField(min_value=0, max_value=23, required=False)
    until_hour = serializers.IntegerField(min_value=1, max_value=24, required=False)
    timezone = serializers.CharField(max_length=64, required=False, validators=[validate_timezone])
    is_enabled = serializers.BooleanField(required=False)
    muted_until = serializers.DateTimeField(
        required=False, allow_null=True, help_text="Nobody is told of incidents that open before; null: everybody is."
    )
    emails = serializers.ListField(
        child=serializers.EmailField(max_length=254),
        required=False,
        max_length=services.MOST_CONTACTS,
        help_text="All members that are told by e-mail. Slack, Teams and webhooks stay as they are.",
    )


class NewPolicy(PolicyChanges):
    covers = serializers.ChoiceField(
        ["project", "organization"], default="project", help_text="organization: each of its projects."
    )
    name = NameField(max_length=120)
    kind = serializers.ChoiceField(Kind.choices)
    window = serializers.ChoiceField(Window.choices)
    threshold = AmountField(help_text=_SHARE)


def _answer(request: Request, project: Project, policy: Policy, status: int = 200) -> Response:
    found = visible_policy(actor_of(request), project, policy.pk)
    return Response(PolicySerializer(found).data, status=status)


def _save_rest(request: Request, policy: Policy, wanted: dict[str, Any]) -> None:
    """What is not a field that a service takes with the others. Raises ValidationError."""
    actor = person(actor_of(request))
    if "muted_until" in wanted:
        services.mute(policy=policy, until=wanted["muted_until"], actor=actor)
    if "emails" not in wanted:
        return
    members = _members(policy, wanted["emails"])
    hooks: dict[str, list[str]] = {}
    for contact in policy.contacts.exclude(channel=Channel.EMAIL):
        hooks.setdefault(contact.channel, []).append(contact.address)
    services.set_contacts(policy=policy, members=members, hooks=hooks, actor=actor, now=database_now())


def _members(policy: Policy, emails: list[str]) -> list[User]:
    wanted = {lower_email(each) for each in emails}
    members = list(policy.organization.members.filter(email__in=wanted, is_active=True))
    if missing := wanted - {each.email for each in members}:
        raise ValidationError({"emails": [f"No member of the organization: {', '.join(sorted(missing))}"]})
    return members


def _split(wanted: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    rest = {name: wanted.pop(name) for name in ("muted_until", "emails") if name in wanted}
    return wanted, rest


@method_decorator(never_cache, name="dispatch")
class PoliciesView(APIView):
    permission_classes = (MayReadPeopleChange,)

    @extend_schema(
        operation_id="policies_list",
        summary="The policies of a project",
        description="And those of its organization, unless a key asks. The newest first.",
        tags=TAG,
        parameters=[NewestFirstParameters],
        responses=page_of(PolicySerializer),
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        project = visible_project(actor_of(request), project_id)
        wanted = NewestFirstParameters.of(request)
        rows = Policy.objects.visible_to(actor_of(request)).shown_in(project)
        rows = rows.select_related("owner").prefetch_related("contacts")
        return newest_first(request, rows, wanted, time="created_at", serializer=PolicySerializer)

    @extend_schema(
        operation_id="policies_create",
        summary="A new policy",
        description=f"It is evaluated every minute from then on. {ADMINISTRATORS}",
        tags=TAG,
        parameters=[PARAMETER],
        request=NewPolicy,
        responses={201: PolicySerializer},
    )
    @idempotent(check_administrator)
    def post(self, request: Request, project_id: UUID) -> Response:
        project = administered_project(actor_of(request), project_id)
        values, rest = _split(NewPolicy.of_body(request))
        covers = values.pop("covers")
        try:
            with transaction.atomic():  # a policy with a fault in what belongs to it is none
                policy = services.create_policy(
                    organization=project.organization,
                    project=project if covers == "project" else None,
                    values=values,
                    actor=person(actor_of(request)),
                    now=database_now(),
                )
                _save_rest(request, policy, rest)
        except ValidationError as error:
            raise faults_of(error) from None
        return _answer(request, project, policy, 201)


@method_decorator(never_cache, name="dispatch")
class PolicyView(APIView):
    permission_classes = (MayReadPeopleChange,)

    @extend_schema(operation_id="policies_retrieve", summary="One policy", tags=TAG, responses=PolicySerializer)
    def get(self, request: Request, project_id: UUID, policy_id: UUID) -> Response:
        project = visible_project(actor_of(request), project_id)
        Parameters.of(request)
        return Response(PolicySerializer(visible_policy(actor_of(request), project, policy_id)).data)

    @extend_schema(
        operation_id="policies_update",
        summary="Change a policy, or mute it",
        description=f"What is left out stays. {ADMINISTRATORS}",
        tags=TAG,
        parameters=[PARAMETER],
        request=PolicyChanges,
        responses=PolicySerializer,
    )
    @idempotent(check_administrator)
    def patch(self, request: Request, project_id: UUID, policy_id: UUID) -> Response:
        project = administered_project(actor_of(request), project_id)
        policy = administered_policy(actor_of(request), project, policy_id)
        values, rest = _split(PolicyChanges.of_body(request))
        try:
            with transaction.atomic():
                services.update_policy(policy=policy, values=values, actor=person(actor_of(request)))
                _save_rest(request, policy, rest)
        except ValidationError as error:
            raise faults_of(error) from None
        return _answer(request, project, policy)

    @extend_schema(
        operation_id="policies_delete",
        summary="Remove a policy with its incidents",
        description=ADMINISTRATORS,
        tags=TAG,
        parameters=[PARAMETER],
        responses={204: None},
    )
    @idempotent(check_administrator)
    def delete(self, request: Request, project_id: UUID, policy_id: UUID) -> Response:
        project = administered_project(actor_of(request), project_id)
        policy = administered_policy(actor_of(request), project, policy_id)
        services.delete_policy(policy=policy, actor=person(actor_of(request)))
        return Response(status=204)
