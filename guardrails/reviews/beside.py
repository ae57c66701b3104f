"""What reviews add to pages and deletions of the app below."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from traces.pages.period import Period
from traces.pages.tables import Column, Row, Table

from .models import Review, kept_name
from .pages.words import shown_precision
from .precision import precisions


def reviews_of_traces(project_id: UUID, trace_ids: Sequence[str]) -> QuerySet[Any]:
    """They go with the traces that somebody wants deleted."""
    return Review.objects.of_project(project_id).filter(trace_id__in=map(kept_name, trace_ids)).order_by()


def precision_table(period: Period) -> Table | None:
    found = precisions(period.scope)
    if not found:
        return None
    address = reverse("guardrail-reviews", kwargs={"project_id": period.scope.project_id})
    times = {"start": period.scope.start.isoformat(), "end": period.scope.end.isoformat()}
    return Table(
        id="precision",
        title=_("Precision"),
        help=_(
            "Of the checks in which a guardrail blocked, masked or flagged and that people have reviewed: right ÷"
            " (right + wrong), with the range in which it lies with 95 percent confidence."
        ),
        named=_("Guardrail"),
        columns=[
            Column(_("Precision"), "share"),
            Column(_("Judged right"), "count"),
            Column(_("Judged wrong"), "count", "bad"),
            Column(_("Conflicts"), "count", "bad"),
        ],
        rows=[
            Row(
                each.guardrail,
                [shown_precision(each), each.right, each.wrong, each.conflicts],
                f"{address}?{urlencode({**times, 'guardrail': each.guardrail})}",
            )
            for each in found
        ],
    )
