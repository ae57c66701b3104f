"""The time range of a list: `start` and `end`, by default the last seven days."""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from agentops_portal.clickhouse.gate import Scope
from projects.api.paging import PageParameters
from projects.api.parameters import MomentField, Parameters
from projects.models import Project

DEFAULT_RANGE = timedelta(days=7)
CLOCKS_AHEAD = timedelta(hours=1)  # a range that goes on until now takes spans whose clock is ahead
EMPTY = "The end must come after the start."


class RangeParameters(Parameters):
    """Adds both times to what was asked, so that all pages of a list are of the same range."""

    start = MomentField(required=False, help_text="From this time on; by default seven days before the end.")
    end = MomentField(required=False, help_text="Before this time; by default now, and an hour for clocks ahead.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        named = "end" if "end" in attrs else "start"
        attrs.setdefault("end", timezone.now() + CLOCKS_AHEAD)
        attrs.setdefault("start", attrs["end"] - DEFAULT_RANGE)
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
