"""The time range of a list: `start` and `end`, or `range`; by default the last seven days."""

from typing import Any

from django.utils import timezone
from rest_framework import serializers

from agentops_portal.api.paging import PageParameters
from agentops_portal.api.parameters import MomentField, Parameters
from agentops_portal.clickhouse.gate import Scope
from projects.models import Project
from traces.reading.ranges import CUSTOM, DEFAULT_RANGE, RANGES
from traces.store.queries.scopes import until_now

PRESET = ("range",)  # its times stand in the address of the next page instead
EMPTY = "The end must come after the start."


class RangeParameters(Parameters):
    """Adds both times to what was asked, so that all pages of a list are of the same range."""

    start = MomentField(required=False, help_text="From this time on; by default seven days before the end.")
    end = MomentField(required=False, help_text="Before this time; by default now, and five minutes for clocks ahead.")

    range = serializers.ChoiceField(
        [*RANGES, CUSTOM],
        required=False,
        allow_blank=True,
        help_text="Until now, in place of `start` and `end`, which `custom` leaves to them.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        preset = attrs.pop("range", "") or CUSTOM
        named = "end" if "end" in attrs else "start"
        if preset != CUSTOM and named in attrs:
            raise serializers.ValidationError({"range": ["Give either a range, or start and end."]})
        now = timezone.now()
        lasts = RANGES[DEFAULT_RANGE if preset == CUSTOM else preset][0]
        attrs.setdefault("start", attrs.get("end", now) - lasts)
        attrs.setdefault("end", until_now(now))
        if attrs["start"] >= attrs["end"]:
            raise serializers.ValidationError({named: [EMPTY]})
        return attrs


class RangePageParameters(PageParameters, RangeParameters):
    """A page of a list with a range."""


def scope_of(project: Project, wanted: dict[str, Any]) -> Scope:
    """What checked RangeParameters ask of a project."""
    return Scope(project.pk, wanted["start"], wanted["end"])


def pinned(wanted: dict[str, Any]) -> dict[str, str]:
    """The range, for the address of the next page."""
    return {name: wanted[name].isoformat().replace("+00:00", "Z") for name in ("start", "end")}
