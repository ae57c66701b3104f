from typing import Any

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class GuardrailsConfig(AppConfig):
    name = "guardrails"
    verbose_name = _("Guardrails")

    def ready(self) -> None:
        from traces.demo.signals import sample_loaded

        sample_loaded.connect(_make_sample, dispatch_uid="guardrails.reports.sample")


def _make_sample(sender: object, **loaded: Any) -> None:
    from .reports.sample import make_sample

    make_sample(**loaded)
