"""`{% icon "robot" %}`: Tabler's outline icons out of node_modules, drawn inline: they take the text's colour."""

import re
from functools import lru_cache

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from agentops_portal.staticfiles import NODE_MODULES

register = template.Library()

ICONS = NODE_MODULES / "@tabler/icons/icons/outline"


@lru_cache(maxsize=512)
def paths(name: str) -> SafeString:
    """The drawing of an icon without its <svg> element. Raises TemplateSyntaxError when there is no such icon."""
    try:
        svg = (ICONS / f"{name}.svg").read_text(encoding="utf-8")
    except OSError:
        raise template.TemplateSyntaxError(
            f"There is no icon {name!r} in {ICONS}: see https://tabler.io/icons for names, or run `make setup`."
        ) from None
    inner = svg[svg.index(">") + 1 : svg.rindex("</svg>")]
    inner = re.sub(r'<path stroke="none" d="M0 0h24v24H0z" fill="none" */>', "", inner)
    return mark_safe(re.sub(r"\s*\n\s*", "", inner))  # noqa: S308 - a file of an installed package, no user's text


@register.simple_tag
def icon(name: str, css: str = "") -> SafeString:
    """An icon in the text's size and colour, silent for screen readers: put words beside it or on its button."""
    return format_html(
        '<svg class="icon {}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" '
        'stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">{}</svg>',
        css,
        paths(name),
    )


@register.simple_tag
def icon_symbols(*names: str) -> SafeString:
    """Define icons once for a page that repeats them: `{% use_icon name %}` then costs a few bytes a row."""
    symbols = (
        format_html(
            '<symbol id="icon-{0}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" '
            'stroke-linecap="round" stroke-linejoin="round">{1}</symbol>',
            name,
            paths(name),
        )
        for name in dict.fromkeys(names)
    )
    return format_html('<svg class="d-none" aria-hidden="true">{}</svg>', mark_safe("".join(symbols)))  # noqa: S308


@register.simple_tag
def use_icon(name: str, css: str = "") -> SafeString:
    """An icon that `{% icon_symbols %}` has defined on the same page."""
    return format_html('<svg class="icon {}" aria-hidden="true"><use href="#icon-{}"/></svg>', css, name)
