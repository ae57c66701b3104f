"""Half a surrogate pair: what a JavaScript or Python client writes of a text that it cut inside an emoji.

No encoder takes it, so none may come out of a text of a stranger: it is replaced by U+FFFD, as a Collector does.
"""

import re

# A pair, half a pair, or any other escape: taken whole, so that `\\ud83e` (a backslash and letters) is left alone.
_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


def mended(text: str) -> str:
    """A text without halves of surrogate pairs: two that belong together become their character, others U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def mended_json(text: str) -> str:
    """JSON in whose strings no escape stands for half a pair."""
    return _ESCAPE.sub(lambda escape: r"\ufffd" if escape["half"] else escape[0], text)
