r"""JSON without the escapes that only programs read: `\ud55c` and `\/` as the characters they stand for.

Python's `json.dumps` writes every letter beyond ASCII as an escape, ClickHouse's writer every slash. The text that
comes out of here is the same JSON to whoever parses it.
"""

import re
from collections.abc import Mapping

import orjson

from .budget import spend
from .parse import CHARACTERS_A_STEP, MAX_VALUES
from .surrogates import mended

VALUES_A_STEP = 16  # they are only read, and thrown away

# Escapes of what JSON must write as one, and of what would not be seen or would turn the text around it.
_KEPT = re.compile(
    r"\\(?=u(?:00[01][0-9a-fA-F]|0022|005[cC]|00[89][0-9a-fA-F]|007[fF]|202[89a-eA-E]|206[6-9]|200[e-fE-F]))"
)
# JSON holds no control characters but blanks: they stand for what is set aside meanwhile.
_PAIR, _BACKSLASH = "\x00", "\x01"


def readable(text: str) -> str:
    r"""A JSON text in which letters stand for themselves; every other text as it is.

    Linear in the text, without a step of Python's for each escape. What is over the budget of decoding stays as it is.
    """
    if "\\u" not in text and "\\/" not in text:
        return text
    if text.lstrip()[:1] not in ("[", "{", '"') or _PAIR in text or _BACKSLASH in text:
        return text
    values = text.count("[") + text.count("{") + text.count(",")
    if values > MAX_VALUES or not spend(len(text) // CHARACTERS_A_STEP + values // VALUES_A_STEP):
        return text
    found = _with_letters(text)
    try:
        orjson.loads(found)
    except ValueError:
        return text
    return found


def readable_values(values: Mapping[str, str]) -> dict[str, str]:
    """The same of every value of a map of attributes."""
    return {key: readable(text) for key, text in values.items()}


def _with_letters(text: str) -> str:
    """With pairs of backslashes set aside, each that is left begins an escape."""
    text = text.replace("\\\\", _PAIR).replace("\\/", "/")
    if "\\u" in text:
        text = _KEPT.sub(_BACKSLASH, text)
        try:
            # Reads `\uXXXX` and nothing else.
            text = mended(text.encode("raw_unicode_escape").decode("raw_unicode_escape"))
        except UnicodeDecodeError:  # fewer digits: it is no JSON
            return ""
        text = text.replace(_BACKSLASH, "\\")
    return text.replace(_PAIR, "\\\\")
