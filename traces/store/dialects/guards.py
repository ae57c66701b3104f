"""Guardrail libraries that trace on their own: OpenLIT Guard and Guardrails AI."""

from .base import Dialect

DIALECT = Dialect(
    name="guards",
    reference="https://docs.openlit.io/latest/features/guardrails and https://guardrailsai.com/docs/concepts/logs",
    values={
        "guardrail_name": ("guard.name", "validator.name"),
        "guardrail_mode": ("guard.phase", "validator.on_fail"),
    },
    guardrail_outcome="""if(
        SpanAttributes['guard.denied'] = 'true', 'blocked',
        transform(
            lower(SpanAttributes['guard.action']),
            ['deny', 'block', 'redact', 'mask', 'sanitize', 'warn', 'flag'],
            ['blocked', 'blocked', 'masked', 'masked', 'masked', 'flagged', 'flagged'],
            ''))""",
)
