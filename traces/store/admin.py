"""What ClickHouse holds, for staff to look at: spans, roll-ups, and requests that wait or cannot be read.

A list asks for a project and a range of time before it asks ClickHouse anything. It is never counted: there is a next
page as long as there is a next row.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import Error
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import localize
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from agentops_portal.clickhouse.gate import DEFAULT, Scope
from projects.admin.base import ReadOnlyAdmin
from projects.models import Project

from .models import GuardrailRun, InboxRequest, Span, SpanVerdict, Trace, UnreadableRequest, UsageQuarter
from .row_keys import conditions_of, keys_of, plain, time_of

PAGE_ROWS = 100
MAX_PAGE = 1000  # further back a narrower range is the way
CELL_CHARACTERS = 80


class ScopeForm(forms.Form):
    """Which project, and from when until when."""

    project = forms.ModelChoiceField(
        Project.objects.select_related("organization").order_by("organization__name", "name"),
        label=gettext_lazy("project"),
        widget=UnfoldAdminSelectWidget,
    )
    start = forms.DateTimeField(
        label=gettext_lazy("from"), widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local", "step": 1})
    )
    end = forms.DateTimeField(
        label=gettext_lazy("until"), widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local", "step": 1})
    )
    page = forms.IntegerField(min_value=1, max_value=MAX_PAGE, required=False, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        start, end = cleaned.get("start"), cleaned.get("end")
        if start and end and start >= end:
            self.add_error("end", _("The end must come after the start."))
        return cleaned

    def scope(self) -> Scope:
        values = self.cleaned_data
        return Scope(values["project"].pk, values["start"], values["end"])


class StoreAdmin(ReadOnlyAdmin):
    """The list of one table of ClickHouse, and each row as JSON. trace_field: which of its columns names a trace."""

    trace_field = ""

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_row"
        return [path("row/", self.admin_site.admin_view(self.row_view), name=name), *super().get_urls()]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> None:
        """A row has no page of its own: its id alone does not find it."""
        return None

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        self._permit(request)
        form = ScopeForm(request.GET) if request.GET else ScopeForm(initial=_last_day())
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": self.opts.verbose_name_plural,
            "opts": self.opts,
            "form": form,
            "asked": form.is_bound and form.is_valid(),
            "columns": self.model.listed,
            "zone": timezone.get_current_timezone_name(),
        }
        if context["asked"]:
            context |= self._page(form)
        return TemplateResponse(request, "admin/store/rows.html", context)

    def row_view(self, request: HttpRequest) -> HttpResponse:
        """One row with every column. The address names it by the columns that tell it from others."""
        self._permit(request)
        try:
            project_id = UUID(request.GET.get("project", ""))
            scope, conditions = conditions_of(self.model, project_id, request.GET)
        except (ValueError, KeyError) as error:
            raise Http404 from error
        rows = self.model.objects.within(scope).filter(**conditions).settings(**_limits()).values()[:1]
        for row in rows:
            columns = {field.attname: field.column for field in self.opts.concrete_fields}
            answer = JsonResponse(
                {columns[name]: plain(value) for name, value in row.items()},
                json_dumps_params={"indent": 2, "ensure_ascii": False},
            )
            answer["Cache-Control"] = "no-store"
            return answer
        raise Http404

    def _permit(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _page(self, form: ScopeForm) -> dict[str, Any]:
        scope, page = form.scope(), form.cleaned_data["page"] or 1
        names = dict.fromkeys((*self.model.listed, *self.model.row_keys))
        found = self.model.objects.within(scope).settings(**_limits()).order_by(f"-{self.model.row_keys[0]}")
        first = (page - 1) * PAGE_ROWS
        try:
            rows = list(found.values(*names)[first : first + PAGE_ROWS + 1])
        except Error as error:
            return {"error": str(error)[:300]}
        return {
            "rows": [self._row(scope, row) for row in rows[:PAGE_ROWS]],
            "next": _address(form, page + 1) if len(rows) > PAGE_ROWS and page < MAX_PAGE else "",
            "previous": _address(form, page - 1) if page > 1 else "",
        }

    def _row(self, scope: Scope, row: Mapping[str, Any]) -> dict[str, Any]:
        trace_id = str(row[self.trace_field]) if self.trace_field else ""
        json = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_row")
        return {
            "cells": [_cell(name, row[name]) for name in self.model.listed],
            "json": f"{json}?{urlencode({'project': scope.project_id, **keys_of(self.model, row)})}",
            "trace": _trace_page(scope.project_id, trace_id),
        }


def _last_day() -> dict[str, datetime]:
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    return {"start": now - timedelta(days=1), "end": now + timedelta(minutes=1)}


def _limits() -> dict[str, Any]:
    return {"max_execution_time": DEFAULT.seconds, "max_memory_usage": DEFAULT.memory_bytes}


def _address(form: ScopeForm, page: int) -> str:
    return f"?{urlencode({**{name: form.data.get(name, '') for name in ('project', 'start', 'end')}, 'page': page})}"


def _trace_page(project_id: UUID, trace_id: str) -> str:
    """The address of the page that the trace's team reads; "" when the id is none that an address can hold."""
    if len(trace_id) != 32:
        return ""
    return reverse("trace-detail", kwargs={"project_id": project_id, "trace_id": trace_id})


def _cell(name: str, value: Any) -> str:
    if name == "quarter":
        value = time_of(name, value)
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"
    text = "" if value is None else str(localize(value))
    return f"{text[:CELL_CHARACTERS]}…" if len(text) > CELL_CHARACTERS else text


@admin.register(Span)
class SpanAdmin(StoreAdmin):
    trace_field = "TraceId"


@admin.register(SpanVerdict)
class SpanVerdictAdmin(StoreAdmin):
    trace_field = "TraceId"


@admin.register(Trace)
class TraceAdmin(StoreAdmin):
    trace_field = "trace_id"


@admin.register(GuardrailRun)
class GuardrailRunAdmin(StoreAdmin):
    trace_field = "trace_id"


@admin.register(UsageQuarter)
class UsageQuarterAdmin(StoreAdmin):
    pass


@admin.register(InboxRequest)
class InboxRequestAdmin(StoreAdmin):
    pass


@admin.register(UnreadableRequest)
class UnreadableRequestAdmin(StoreAdmin):
    pass
