"""`{% load policies %}`: figures of policies as people read them."""

from django import template

from guardrails.incidents import words

register = template.Library()


@register.filter
def amount(value: object, kind: str) -> str:
    """A value or limit of a kind of policy."""
    return words.amount(kind, value)  # type: ignore[arg-type]
