"""/opsboard/orgs/…: payment. Nobody pays for a portal of their own: what costs money costs nothing, and changes are
refused, for the dashboard takes every 2xx as done and says "Subscription Cancelled".
"""

from typing import Any, Final

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from compat.contract import ContractError
from compat.contract_schema import errors

from .access import OpsboardView, member_organization

NOT_ENABLED: Final = "Billing is not enabled on this portal."
CHANGE: Final = (
    "create-checkout-session",
    "create-free-subscription",
    "validate-discount-code",
    "cancel-subscription",
    "reactivate-subscription",
    "update-subscription",
    "customer-portal",
)
# The dashboard takes `amount || 4000` cents, so it would show a plain 0 as $40. This is the smallest number above it;
# a hundredth of it is 0, so the dashboard shows $0 (for a million tokens, "< $0.01").
NOTHING: Final = 5e-324
PRICES: Final = {
    "seat": {"priceId": None, "amount": NOTHING, "currency": "usd", "interval": "month", "interval_count": 1},
    "tokens": {
        "priceId": None,
        "amount": NOTHING,
        "currency": "usd",
        "unit_size": 1000,
        "display_unit": "thousand tokens",
    },
    "spans": {
        "priceId": None,
        "amount": NOTHING,
        "currency": "usd",
        "unit_size": 1000,
        "display_unit": "thousand spans",
    },
}


class BillingDashboardSerializer(serializers.Serializer[Any]):
    current_period = serializers.JSONField(allow_null=True)
    past_periods = serializers.ListField(child=serializers.JSONField())
    total_spent_all_time = serializers.IntegerField(help_text="Cents.")
    is_legacy_billing = serializers.BooleanField()
    legacy_cancellation_date = serializers.CharField(allow_null=True)
    project_breakdown = serializers.ListField(child=serializers.JSONField(), allow_null=True)


class SeatPriceSerializer(serializers.Serializer[Any]):
    priceId = serializers.CharField(allow_null=True)  # noqa: N815  the dashboard's name
    amount = serializers.FloatField(help_text="Cents: the smallest number above 0, for the dashboard takes 0 for $40.")
    currency = serializers.CharField()
    interval = serializers.CharField()
    interval_count = serializers.IntegerField(allow_null=True)


class UnitPriceSerializer(serializers.Serializer[Any]):
    priceId = serializers.CharField(allow_null=True)  # noqa: N815  the dashboard's name
    amount = serializers.FloatField(help_text="Cents.")
    currency = serializers.CharField()
    unit_size = serializers.IntegerField()
    display_unit = serializers.CharField()


class PricesSerializer(serializers.Serializer[Any]):
    seat = SeatPriceSerializer()
    tokens = UnitPriceSerializer()
    spans = UnitPriceSerializer()


class MemberCostSerializer(serializers.Serializer[Any]):
    immediate_charge = serializers.FloatField(help_text="Dollars.")
    next_period_charge = serializers.FloatField(help_text="Dollars.")
    billing_interval = serializers.CharField()
    period_end = serializers.CharField(allow_null=True)
    currency = serializers.CharField()


class PricesView(OpsboardView):
    @extend_schema(
        tags=["AgentOps opsboard"],
        operation_id="opsboard_stripe_pricing",
        summary="What members, tokens and spans cost: nothing",
        responses={200: PricesSerializer, **errors(404)},
    )
    def get(self, request: Request, organization_id: str) -> Response:
        member_organization(request, organization_id)
        return Response(PRICES)


class MemberCostView(OpsboardView):
    @extend_schema(
        tags=["AgentOps opsboard"],
        operation_id="opsboard_preview_member_cost",
        summary="What one more member costs: nothing",
        responses={200: MemberCostSerializer, **errors(404)},
    )
    def get(self, request: Request, organization_id: str) -> Response:
        member_organization(request, organization_id)
        costs = {"immediate_charge": 0.0, "next_period_charge": 0.0}
        return Response({**costs, "billing_interval": "month", "period_end": None, "currency": "usd"})


_described = extend_schema(
    tags=["AgentOps opsboard"], summary="Payment: not enabled", request=None, responses=errors(400, 404)
)


class SubscriptionView(OpsboardView):
    @_described
    def get(self, request: Request, organization_id: str) -> Response:
        raise _not_enabled(request, organization_id)


class BillingChangeView(OpsboardView):
    """What is to be changed."""

    @_described
    def post(self, request: Request, organization_id: str) -> Response:
        raise _not_enabled(request, organization_id)


class LicensesView(OpsboardView):
    """Which members are paid for."""

    @_described
    def put(self, request: Request, organization_id: str) -> Response:
        raise _not_enabled(request, organization_id)


def _not_enabled(request: Request, organization_id: str) -> ContractError:
    """Raises ContractError 404 for an organization that the person does not see."""
    member_organization(request, organization_id)
    return ContractError(400, NOT_ENABLED)


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
