"""Images, sounds and files: named by type and size. Their bytes are shown nowhere: a photo is megabytes of letters."""

import re
import string
from collections.abc import Iterator, Mapping
from typing import Any

from traces.store.values.parse import pretty

from .types import Part, PartKind

# A data URL, and what is too long a word to be anything but bytes.
_DATA_URL = re.compile(
    r"data:(?P<type>[\w.+-]{1,80}/[\w.+-]{1,80})(?:;[\w=.+-]{1,80}){0,4};base64,(?P<data>[\w+/=%-]*+)", re.ASCII
)
_LONG_WORD = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{1000,}+={0,2}")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")

_TYPES = ("media_type", "mime_type", "mimeType", "mediaType", "format")
_NAMES = ("filename", "file_name", "title", "name")
_DATA = ("data", "bytes", "b64_json", "file_data")
_ADDRESSES = ("url", "uri", "file_uri", "fileUri", "file_id")
MAX_WORD = 100  # characters; a longer word of base64 is no address
# Where one provider or another puts what a medium is.
_INNER = (
    *("image_url", "image", "input_audio", "audio", "video", "document", "file", "source", "blob"),
    *("inline_data", "inlineData", "file_data", "fileData"),
)
_MAX_LEVELS = 6
_WORDS = {
    **dict.fromkeys(("image_url", "input_image"), "image"),
    **dict.fromkeys(("input_audio", "output_audio"), "audio"),
    **dict.fromkeys(("input_file", "inline_data", "inlineData", "fileData", "file_data"), "file"),
}


def media(kind: str, value: Mapping[str, Any]) -> Part:
    """A medium of any provider: `image: image/png, 150 kB`, or where it is."""
    levels = list(_levels(value))
    type_, data = _first(levels, _TYPES), _first(levels, _DATA)
    if not data and kind in ("blob", "image") and isinstance(value.get("content"), str):
        data = value["content"]
    address = levels[-1] if isinstance(levels[-1], str) else _first(levels, _ADDRESSES)
    place = data or address
    what = type_ or (place[5:100].partition(";")[0] if place.startswith("data:") else "")
    if place.startswith("data:"):
        place = _named_url(place)
    elif data or ((type_ or len(place) > MAX_WORD) and _is_base64(place)):
        place = ", ".join(each for each in (type_, size_of(place) if _is_base64(place) else place) if each)
    said = ", ".join(dict.fromkeys(each for each in (_first(levels, _NAMES), place) if each))
    rest = {key: each for key, each in value.items() if key not in ("type", *_DATA)}
    return Part(PartKind.MEDIA, text=said or (pretty(named(rest)) if rest else ""), name=_kind_of(kind, what, value))


def _kind_of(kind: str, type_: str, value: Mapping[str, Any]) -> str:
    """`image`, from what the client calls it, else from `image/png`."""
    said = value.get("modality")
    if said and isinstance(said, str):
        return said
    family = type_.partition("/")[0]
    word = _WORDS.get(kind, kind)
    return family if word in ("file", "blob", "uri", "media") and family in ("image", "audio", "video") else word


def named(value: Any) -> Any:
    """A decoded value in which bytes of media are replaced by what and how much they are."""
    if isinstance(value, str):
        return named_text(value)
    if isinstance(value, Mapping):
        kind = _first([value], _TYPES)
        return {
            key: _named_data(kind, each) if kind and key in _DATA and isinstance(each, str) else named(each)
            for key, each in value.items()
        }
    return [named(each) for each in value] if isinstance(value, list | tuple) else value


def named_text(text: str) -> str:
    """A text in which data URLs and long words of base64 are named. Linear."""
    if "data:" in text:
        text = _DATA_URL.sub(lambda url: f"[{url['type']}, {size_of(url['data'])}]", text)
    return _LONG_WORD.sub(_named_word, text) if len(text) > 1000 else text


def _named_word(word: re.Match[str]) -> str:
    start = set(word[0][:200])
    is_base64 = all(start & set(letters) for letters in (string.ascii_lowercase, string.ascii_uppercase, string.digits))
    return f"[base64, {size_of(word[0])}]" if is_base64 else word[0]


def size_of(data: str) -> str:
    """How much a base64 text holds: `150 kB`."""
    count = (len(data) - data[-2:].count("=")) * 3 // 4
    for unit, name in ((10**6, "MB"), (10**3, "kB")):
        if count >= unit:
            return f"{count / unit:.3g} {name}" if count < 1000 * unit else f"{count // unit:,} {name}"
    return f"{count} bytes"


def _levels(value: Any) -> Iterator[Any]:
    """The value and what is in it, inwards."""
    for _ in range(_MAX_LEVELS):
        yield value
        inner = next((value[key] for key in _INNER if value.get(key)), None) if isinstance(value, Mapping) else None
        if inner is None:
            return
        value = inner


def _first(levels: list[Any], keys: tuple[str, ...]) -> str:
    """The innermost that is text."""
    found = (level[key] for level in reversed(levels) if isinstance(level, Mapping) for key in keys if key in level)
    return next((each for each in found if isinstance(each, str) and each), "")


def _named_data(kind: str, data: str) -> str:
    if data.startswith("data:"):
        return named_text(data)
    return f"[{kind}, {size_of(data)}]" if _is_base64(data) else data


def _named_url(url: str) -> str:
    """Of `data:image/png;base64,…`."""
    head, _, data = url.partition(",")
    kind = head.removeprefix("data:").partition(";")[0]
    return ", ".join(each for each in (kind, size_of(data)) if each)


def _is_base64(text: str) -> bool:
    return _BASE64.fullmatch(text[:4096]) is not None
