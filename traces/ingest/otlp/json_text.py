"""The JSON text of a request: what clients get wrong about characters must not cost their spans."""

import codecs
import re
from typing import Any

import orjson

from .errors import BadData

# Half of a pair without its other half. Wherever this is used, every backslash begins an escape.
_LONE_SURROGATE = re.compile(
    rb"""\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})
    |(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}""",
    re.VERBOSE,
)
_ESCAPED_BACKSLASH = rb"\\"
_NEVER_IN_UTF8 = b"\xff\xff"  # as long as what it stands for, so that no text grows
_WIDE = {  # longest first: one of UTF-32 begins with one of UTF-16
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


def parse(body: bytes) -> Any:
    """The value of a JSON text. Bytes that are no UTF-8 and half surrogate pairs become U+FFFD; a BOM is fine.

    Raises BadData.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    if (encoding := _wide_encoding(body)) is not None:
        raise BadData(f"The body is {encoding} text: JSON is sent as UTF-8.")
    try:
        return orjson.loads(_mended(body))
    except orjson.JSONDecodeError as error:
        raise BadData(f"The body is not JSON: {error}.") from None


def _wide_encoding(body: bytes) -> str | None:
    for mark, name in _WIDE.items():
        if body.startswith(mark):
            return name
    # Without a mark: JSON begins with ASCII characters, and in UTF-8 has no zero byte.
    return {1: "UTF-16", 2: "UTF-16", 3: "UTF-32"}.get(body[:4].count(0))


def _mended(body: bytes) -> bytes:
    """The text with U+FFFD for what is no character; in time and memory linear in its length."""
    # Exporters cut text in the middle of a character.
    text = body.removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace").encode()
    # JSON.stringify writes half of an emoji as an escape. In `\\ud83e` the backslash
    # itself is escaped and the rest is text, so those go first.
    text = text.replace(_ESCAPED_BACKSLASH, _NEVER_IN_UTF8)
    return _LONE_SURROGATE.sub(rb"\\ufffd", text).replace(_NEVER_IN_UTF8, _ESCAPED_BACKSLASH)
