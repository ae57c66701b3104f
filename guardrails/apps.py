from typing import Any

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class GuardrailsConfig(AppConfig):
    name = "guardrails"
    verbose_name = _("Guardrails")

    def ready(self) -> None:
        from traces.demo.signals import sample_loaded
        from traces.ingest.otlp.outcomes import decided_by

        from .enforcement.outcomes import outcomes_of

        decided_by(outcomes_of)
        sample_loaded.connect(_make_report, dispatch_uid="guardrails.reports.sample")
        sample_loaded.connect(_make_policies, dispatch_uid="guardrails.policies.sample")


def _make_report(sender: object, **loaded: Any) -> None:
    from .reports.sample import make_sample

    make_sample(**loaded)


def _make_policies(sender: object, **loaded: Any) -> None:
    from .policies.sample import make_sample

    make_sample(**loaded)
