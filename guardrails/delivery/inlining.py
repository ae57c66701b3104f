"""HTML for mail programs: what a template says in its <style> is written into each element."""

from typing import Final

import css_inline

_inliner: Final = css_inline.CSSInliner(
    keep_at_rules=True, keep_style_tags=False, load_remote_stylesheets=False, minify_css=True
)


def inlined(html: str) -> str:
    return _inliner.inline(html)
