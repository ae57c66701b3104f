"""The price book in the admin: what it says, what it lacks, and what a change would do before it counts."""

from typing import Any
from urllib.parse import urlencode

from celery import current_app
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from import_export.admin import ImportExportModelAdmin
from import_export.formats.base_formats import CSV, JSON
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.contrib.import_export.forms import ExportForm, ImportForm
from unfold.decorators import display

from projects.admin.base import AuditedModelAdmin
from projects.models import User

from .exchange import ModelPriceResource
from .models import ModelPrice, Source
from .repricing import preview
from .unpriced import unpriced_models


@admin.register(ModelPrice)
class ModelPriceAdmin(ImportExportModelAdmin, AuditedModelAdmin):  # type: ignore[misc]  # Django's names twice
    """An entry that is written here goes before what the package says of the model; it counts once somebody lets it."""

    list_display = (
        *("model", "provider", "organization", "dollars", "percent_off"),
        *("valid_from", "valid_until", "source", "changed_at"),
    )
    list_select_related = ("organization",)
    list_filter = (("organization", AutocompleteSelectFilter), "source")
    search_fields = ("model", "provider", "note")
    autocomplete_fields = ("organization",)
    readonly_fields = ("source", "source_version", "changed_at")
    list_before_template = "admin/prices/unpriced.html"
    actions = ("let_the_book_count",)
    resource_classes = (ModelPriceResource,)
    formats = [CSV, JSON]
    import_form_class, export_form_class = ImportForm, ExportForm

    @display(description=_("dollars"))
    def dollars(self, price: ModelPrice) -> str:
        return ", ".join(f"{kind} {rate}" for kind, rate in price.rates.items())

    @display(description=_("discount"))
    def percent_off(self, price: ModelPrice) -> str:
        return "" if price.discount is None else f"{price.discount.normalize():f} %"

    def save_model(self, request: HttpRequest, obj: ModelPrice, form: Any, change: bool) -> None:
        obj.source, obj.source_version = Source.PERSON, ""  # whatever it was before
        super().save_model(request, obj, form, change)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        add = reverse("admin:traces_modelprice_add")
        missing = [
            {"model": model, "calls": calls, "url": f"{add}?{urlencode({'model': model.lower()})}"}
            for (_provider, model), calls in unpriced_models().items()
        ]
        return super().changelist_view(request, {**(extra_context or {}), "unpriced": missing})

    def response_add(self, request: HttpRequest, obj: ModelPrice, post_url_continue: str | None = None) -> HttpResponse:
        self._say_what_changes(request)
        return super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: ModelPrice) -> HttpResponse:
        self._say_what_changes(request)
        return super().response_change(request, obj)

    def _say_what_changes(self, request: HttpRequest) -> None:
        change = preview()
        text = gettext(
            "It counts once you choose “Let the price book count”. Then %(calls)d stored calls on %(days)d days cost "
            "$%(after)s in the place of $%(before)s."
        )
        told = {"before": f"{change.before:.6f}", "after": f"{change.after:.6f}"}
        messages.info(request, text % {"calls": change.calls, "days": len(change.days), **told})

    @admin.action(description=_("Let the price book count, for stored calls, too"), permissions=["change"])
    def let_the_book_count(self, request: HttpRequest, queryset: QuerySet[ModelPrice]) -> None:
        actor = str(request.user.pk) if isinstance(request.user, User) else None
        current_app.send_task("traces.reprice", [actor])  # traces/tasks.py
        messages.success(request, gettext("The whole book counts in a moment; stored calls are priced anew."))
