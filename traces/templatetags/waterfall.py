"""`{% waterfall_rows rows %}`: the lines of the waterfall.

Python instead of a template, because a trace may have thousands of spans: Django's template engine needs 0.3 ms for
such a line, this needs 0.01 ms. Everything that a client sent goes through `escape`.
"""

from collections.abc import Iterable
from html import escape

from django import template
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from agentops_portal import formats
from traces.reading.waterfall import Row
from traces.store.guard import shown_or

MAX_NAME = 300

register = template.Library()


@register.simple_tag
def waterfall_rows(rows: Iterable[Row]) -> SafeString:
    """All lines. Links are relative to the trace's page, whose symbols the icons refer to."""
    words = _Words()
    return mark_safe("".join(_line(row, words) for row in rows))  # noqa: S308 - escaped piece by piece


class _Words:
    """The texts of the lines, translated and escaped once."""

    def __init__(self) -> None:
        self.orphan = escape(_("Its parent has not arrived, or belongs to another system."))
        self.repeated = escape(_("The client sent this guardrail run twice. It counts once."))
        self.toggle = escape(_("Collapse or expand"))
        self.outcomes = {
            "blocked": escape(_("Blocked")),
            "failed": escape(_("Guardrail failed")),
            "masked": escape(_("Masked")),
            "flagged": escape(_("Flagged")),
            "unknown": escape(_("Outcome unknown")),
        }


def _line(row: Row, words: _Words) -> str:
    span_id = row.span.span_id
    return shown_or(
        lambda reason: (
            f'<div role="treeitem" class="wf" aria-level="{row.level}" tabindex="-1">{escape(reason)}</div>\n'
        ),
        lambda: _whole_line(row, words),
        where="waterfall",
        span_id=span_id,
    )


def _whole_line(row: Row, words: _Words) -> str:
    span = row.span
    name, span_id = escape(span.name[:MAX_NAME]), escape(span.span_id)
    classes = f"wf wf-{span.type}{' wf-error' * span.is_error}{' wf-minor' * (not row.is_key)}"
    state = ' aria-expanded="true"' if row.descendants else ""
    if row.is_repeated:
        classes += " wf-repeated"
        state += f' title="{words.repeated}"'
    return (
        f'<div role="treeitem" class="{classes}" aria-level="{row.level}"{state} data-span="{span_id}" tabindex="-1">'
        f'<div class="wf-name">{"<i></i>" * row.guides}{_toggle(row, words)}'
        f'<span class="wf-icon" title="{escape(str(row.type_name))}">{_icon(row.icon)}</span>'
        f'<a href="spans/{span_id}/" tabindex="-1" title="{name}">{name or "–"}</a>{_notes(row, words)}</div>'
        f'<svg class="wf-bar" aria-hidden="true">'
        f'<rect x="{row.offset}" y="5" width="{row.width}" height="10" rx="3"/></svg>'
        f'<span class="wf-time">{formats.duration(span.duration_ns)}</span></div>\n'
    )


def _toggle(row: Row, words: _Words) -> str:
    if not row.descendants:
        return "<b></b>"
    return (
        f'<button type="button" class="wf-toggle" tabindex="-1" aria-label="{words.toggle}" title="{row.descendants}">'
        f"{_icon('chevron-down')}</button>"
    )


def _notes(row: Row, words: _Words) -> str:
    """What stands behind the name: a mark for orphans; the model, guardrail or tool; a guardrail's outcome."""
    span = row.span
    orphan = f'<span class="wf-orphan" title="{words.orphan}">{_icon("unlink")}</span>' if row.is_orphan else ""
    note = escape(row.label[:MAX_NAME]) or words.outcomes.get(span.guardrail_outcome, "")
    outcome = f' class="wf-{span.guardrail_outcome}"' if span.guardrail_outcome else ""
    return orphan + (f"<em{outcome}>{note}</em>" if note else "")


def _icon(name: str) -> str:
    return f'<svg class="icon" aria-hidden="true"><use href="#icon-{name}"/></svg>'
