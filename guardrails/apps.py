from typing import Any

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class GuardrailsConfig(AppConfig):
    name = "guardrails"
    verbose_name = _("Guardrails")

    def ready(self) -> None:
        from traces.demo.signals import sample_loaded
        from traces.ingest.otlp.outcomes import decided_by
        from traces.lifecycle.erasure import rows
        from traces.pages import guardrail_tables

        from .enforcement.outcomes import outcomes_of
        from .reviews.beside import precision_table, reviews_of_traces

        decided_by(outcomes_of)
        rows.register("guardrail_reviews", reviews_of_traces)
        guardrail_tables.register(precision_table)
        sample_loaded.connect(_make_report, dispatch_uid="guardrails.reports.sample")
        sample_loaded.connect(_make_policies, dispatch_uid="guardrails.policies.sample")


def _make_report(sender: object, **loaded: Any) -> None:
    from .reports.sample import make_sample

    make_sample(**loaded)


def _make_policies(sender: object, **loaded: Any) -> None:
    from .policies.sample import make_sample

    make_sample(**loaded)
