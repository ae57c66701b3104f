"""What the API takes and tells of reviews."""

from typing import Any

from rest_framework import serializers

from agentops_portal.api.paging import KeyCursor
from agentops_portal.api.parameters import CursorField, Parameters
from agentops_portal.api.serializers import PortalModelSerializer
from traces.api.filters import exact_name
from traces.api.ranges import RangePageParameters
from traces.store.dialects.base import GUARDRAIL_OUTCOMES
from traces.store.queries.guardrail_keys import is_run_key

from ..models import LONGEST_NOTE, Review, Verdict

PHASES = ("input", "output", "other")


class ReviewListParameters(RangePageParameters):
    """The range is that of the checks."""

    guardrail = exact_name("The guardrail's name.")
    verdict = serializers.ChoiceField(Verdict.choices, required=False)
    outcome = serializers.ChoiceField(GUARDRAIL_OUTCOMES, required=False)
    run = serializers.CharField(required=False, max_length=60, help_text="The reviews of one run, by its id.")
    conflict = serializers.BooleanField(
        required=False, help_text="true: of checks that one reviewer calls right and another wrong."
    )
    cursor = CursorField(KeyCursor.parser(str, str))


class ReviewChanges(Parameters):
    verdict = serializers.ChoiceField(Verdict.choices, required=False)
    note = serializers.CharField(required=False, allow_blank=True, max_length=LONGEST_NOTE)


class NewReview(Parameters):
    run = serializers.CharField(max_length=60, help_text="The id of a guardrail run, as the list of runs tells it.")
    verdict = serializers.ChoiceField(Verdict.choices)
    note = serializers.CharField(required=False, default="", allow_blank=True, max_length=LONGEST_NOTE)

    def validate_run(self, text: str) -> str:
        if not is_run_key(text):
            raise serializers.ValidationError("This is no id of a guardrail run: take it from the list of runs.")
        return text


class ReviewSerializer(PortalModelSerializer):
    run = serializers.CharField(source="run_key")
    reviewer = serializers.EmailField(source="reviewer.email", allow_null=True, default=None)
    outcome = serializers.ChoiceField(GUARDRAIL_OUTCOMES)
    phase = serializers.ChoiceField(PHASES, help_text="What the guardrail looked at.")
    in_conflict = serializers.BooleanField(
        source="is_in_conflict", help_text="One reviewer calls the check right and another wrong."
    )

    class Meta:
        model = Review
        fields = (
            *("id", "run", "reviewer", "verdict", "note", "in_conflict", "created_at", "updated_at"),
            *("guardrail", "mode", "phase", "outcome", "service", "trace_id", "span_id", "started_at", "duration_ns"),
        )


class PrecisionSerializer(serializers.Serializer[Any]):
    guardrail = serializers.CharField()
    right = serializers.IntegerField(help_text="Checks that reviewers call right, each once.")
    wrong = serializers.IntegerField()
    conflicts = serializers.IntegerField(help_text="Checks that one reviewer calls right and another wrong.")
    enough = serializers.BooleanField(source="is_known", help_text="At least 20 checks are judged.")
    precision = serializers.FloatField(
        source="value", allow_null=True, help_text="right ÷ (right + wrong); null without enough reviews."
    )
    low = serializers.SerializerMethodField(help_text="Where the precision lies with 95 % confidence (Wilson): from …")
    high = serializers.SerializerMethodField(help_text="… to.")

    def get_low(self, precision: Any) -> float | None:
        return precision.interval[0] if precision.interval else None

    def get_high(self, precision: Any) -> float | None:
        return precision.interval[1] if precision.interval else None


class PrecisionListSerializer(serializers.Serializer[Any]):
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    guardrails = PrecisionSerializer(many=True, help_text="The most judged first.")
