"""The time range of a list: `start` and `end`, or `range`; by default the last seven days."""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from agentops_portal.api.paging import PageParameters
from agentops_portal.api.parameters import MomentField, Parameters
from agentops_portal.clickhouse.gate import Scope
from projects.models import Project
from traces.reading.ranges import CUSTOM, DEFAULT_RANGE, RANGES

CLOCKS_AHEAD = timedelta(hours=1)  # a range that goes on until now takes spans whose clock is ahead
PRESET = ("range",)  # its times stand in the address of the next page instead
EMPTY = "The end must come after the start."


class RangeParameters(Parameters):
    """Adds both times to what was asked, so that all pages of a list are of the same range."""

    start = MomentField(required=False, help_text="From this time on; by default seven days before the end.")
    end = MomentField(required=False, help_text="Before this time; by default now, and an hour for clocks ahead.")

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
        attrs.setdefault("end", timezone.now() + CLOCKS_AHEAD)
        lasts = RANGES[DEFAULT_RANGE][0] if preset == CUSTOM else RANGES[preset][0] + CLOCKS_AHEAD
        attrs.setdefault("start", attrs["end"] - lasts)
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
