"""Guardrail libraries that trace on their own: OpenLIT Guard and Guardrails AI."""

from .base import Dialect

DIALECT = Dialect(
    name="guards",
    reference="https://docs.openlit.io/latest/features/guardrails and https://guardrailsai.com/docs/concepts/logs",
    values={
        "guardrail_name": ("guard.name", "validator.name"),
        "guardrail_mode": ("guard.phase", "validator.on_fail"),
    },
    guardrail_outcome="""multiIf(
        SpanAttributes['guard.name'] = '' AND SpanAttributes['validator.name'] = '', '',
        SpanAttributes['guard.denied'] = 'true', 'blocked',
        lower(SpanAttributes['guard.action']) IN ('deny', 'block'), 'blocked',
        lower(SpanAttributes['guard.action']) IN ('redact', 'mask', 'sanitize'), 'masked',
        lower(SpanAttributes['guard.action']) IN ('warn', 'flag'), 'flagged',
        StatusCode = 'Error', 'failed',
        'allowed')""",
)
