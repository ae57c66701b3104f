"""What a policy can watch: the figure, how it is counted, and on which side of the limit it is bad.

Shares are of what a window holds; with nothing to divide by there is no value. All figures are those of the pages
(traces/store/figures.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final, Literal

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Kind(models.TextChoices):
    COST_BUDGET = "cost_budget", _("Cost budget")
    REQUEST_RATE = "request_rate", _("Request rate")
    TOKEN_RATE = "token_rate", _("Token rate")
    ERROR_RATE = "error_rate", _("Error rate")
    BLOCK_RATE = "block_rate", _("Block rate")
    GUARDRAIL_FAILURES = "guardrail_failures", _("Guardrail failure rate")
    COVERAGE = "coverage", _("Guardrail coverage")
    GUARDRAIL_SILENT = "guardrail_silent", _("Guardrail silent")
    NO_DATA = "no_data", _("No data")


class Dimension(models.TextChoices):
    """What a cost budget is counted for. Keys are not in the roll-ups, so there is no budget by key."""

    PROJECT = "project", _("the project")
    MODEL = "model", _("each model")
    USER = "user", _("each user")


class Window(models.TextChoices):
    """The last minutes, or the hour, day, week or month that runs, as clocks of the policy's time zone cut it."""

    FIVE = "5m", _("5 minutes")
    QUARTER = "15m", _("15 minutes")
    HALF = "30m", _("30 minutes")
    SIXTY = "1h", _("1 hour")
    SIX = "6h", _("6 hours")
    TWENTY_FOUR = "24h", _("24 hours")
    HOUR = "hour", _("this hour")
    DAY = "day", _("this day")
    WEEK = "week", _("this week")
    MONTH = "month", _("this month")


LENGTHS: Final[Mapping[str, timedelta]] = {
    Window.FIVE: timedelta(minutes=5),
    Window.QUARTER: timedelta(minutes=15),
    Window.HALF: timedelta(minutes=30),
    Window.SIXTY: timedelta(hours=1),
    Window.SIX: timedelta(hours=6),
    Window.TWENTY_FOUR: timedelta(hours=24),
}
CALENDAR: Final = (Window.HOUR.value, Window.DAY.value, Window.WEEK.value, Window.MONTH.value)
COMPARED: Final = timedelta(hours=24)  # before the window: what ran there is missed when it is silent

Unit = Literal["share", "count", "dollars"]
Source = Literal["traces", "guardrails", "costs"]


@dataclass(frozen=True)
class KindOf:
    """part and whole: names of sums; without a whole the part itself is the value. volume: what `min_volume` is of."""

    source: Source
    unit: Unit
    part: str
    whole: str = ""
    volume: str = ""
    is_floor: bool = False  # bad is below the limit
    filters: Mapping[str, str] = None  # type: ignore[assignment]
    help: str | Promise = ""

    def value(self, sums: Mapping[str, Decimal | int]) -> Decimal | None:
        """None: nothing to divide by."""
        if not self.whole:
            return Decimal(sums[self.part])
        return Decimal(sums[self.part]) / sums[self.whole] if sums[self.whole] else None


KINDS: Final[Mapping[str, KindOf]] = {
    Kind.COST_BUDGET: KindOf(
        "costs",
        "dollars",
        "cost",
        filters={"llm": "1"},
        help=_("US dollars that LLM calls and tools cost in the period."),
    ),
    Kind.REQUEST_RATE: KindOf("traces", "count", "requests", filters={}, help=_("Requests that start in the window.")),
    Kind.TOKEN_RATE: KindOf(
        "traces", "count", "tokens", filters={"llm": "1"}, help=_("Tokens of the requests that start in the window.")
    ),
    Kind.ERROR_RATE: KindOf(
        "traces",
        "share",
        "failed",
        "requests",
        "requests",
        filters={"status": "error"},
        help=_("Requests that failed ÷ requests."),
    ),
    Kind.BLOCK_RATE: KindOf(
        "traces",
        "share",
        "with_blocks",
        "with_runs",
        "with_runs",
        filters={"guardrail": "blocked"},
        help=_("Requests that a guardrail blocked ÷ requests that a guardrail looked at."),
    ),
    Kind.GUARDRAIL_FAILURES: KindOf(
        "guardrails",
        "share",
        "failed",
        "runs",
        "runs",
        filters={"guardrail": "failed"},
        help=_("Checks in which the guardrail itself did not answer ÷ checks."),
    ),
    Kind.COVERAGE: KindOf(
        "traces",
        "share",
        "with_calls_and_runs",
        "with_calls",
        "with_calls",
        is_floor=True,
        filters={"llm": "1"},
        help=_("Requests with an LLM call and a guardrail run ÷ requests with an LLM call."),
    ),
    Kind.GUARDRAIL_SILENT: KindOf(
        "guardrails",
        "count",
        "runs",
        volume="with_calls",
        is_floor=True,
        filters={"llm": "1"},
        help=_("Checks of a guardrail that ran in the 24 hours before the window, while models were called in it."),
    ),
    Kind.NO_DATA: KindOf("traces", "count", "requests", is_floor=True, filters={}, help=_("Requests in the window.")),
}
