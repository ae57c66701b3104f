"""/opsboard/orgs/…: payment. Nobody pays for a portal of their own; the dashboard's pages get an answer that they can
show instead of an error.
"""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from projects.api.contract_schema import StatusSerializer, errors

from .access import OpsboardView, member_organization

NOT_ENABLED = {"success": False, "message": "Billing is not enabled on this portal."}
READ = ("subscription-detail", "stripe-pricing", "preview-member-cost")
CHANGE = (
    "create-checkout-session",
    "create-free-subscription",
    "validate-discount-code",
    "cancel-subscription",
    "reactivate-subscription",
    "update-subscription",
    "customer-portal",
)


class BillingDashboardSerializer(serializers.Serializer[Any]):
    current_period = serializers.JSONField(allow_null=True)
    past_periods = serializers.ListField(child=serializers.JSONField())
    total_spent_all_time = serializers.IntegerField(help_text="Cents.")
    is_legacy_billing = serializers.BooleanField()
    legacy_cancellation_date = serializers.CharField(allow_null=True)
    project_breakdown = serializers.ListField(child=serializers.JSONField(), allow_null=True)


_described = extend_schema(
    tags=["AgentOps opsboard"],
    summary="Payment: not enabled",
    request=None,
    responses={200: StatusSerializer, **errors(404)},
)


class BillingReadView(OpsboardView):
    """What is asked for."""

    @_described
    def get(self, request: Request, organization_id: str) -> Response:
        return _not_enabled(request, organization_id)


class BillingChangeView(OpsboardView):
    """What is to be changed."""

    @_described
    def post(self, request: Request, organization_id: str) -> Response:
        return _not_enabled(request, organization_id)


class LicensesView(OpsboardView):
    """Which members are paid for."""

    @_described
    def put(self, request: Request, organization_id: str) -> Response:
        return _not_enabled(request, organization_id)


def _not_enabled(request: Request, organization_id: str) -> Response:
    member_organization(request, organization_id)
    return Response(NOT_ENABLED)


class BillingDashboardView(OpsboardView):
    @extend_schema(
        tags=["AgentOps opsboard"],
        operation_id="opsboard_billing_dashboard",
        summary="What an organization has spent on the portal: nothing",
        responses={200: BillingDashboardSerializer, **errors(404)},
    )
    def get(self, request: Request, organization_id: str) -> Response:
        member_organization(request, organization_id)
        return Response(
            {
                "current_period": None,
                "past_periods": [],
                "total_spent_all_time": 0,
                "is_legacy_billing": False,
                "legacy_cancellation_date": None,
                "project_breakdown": [],
            }
        )
