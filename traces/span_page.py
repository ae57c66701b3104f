"""What the page of one span shows."""

from dataclasses import asdict
from typing import Any

import orjson

from .messages import conversation, payload
from .messages.decode import decoded, pretty
from .queries.span_detail import Event, SpanDetail
from .waterfall import SPAN_TYPES

# A longer value is cut on the page and whole in the JSON.
SHOWN_CHARACTERS = 20_000
EXCEPTION_EVENT = "exception"


def span_context(span: SpanDetail) -> dict[str, Any]:
    """Template context of `_span.html`."""
    icon, type_name = SPAN_TYPES.get(span.type, SPAN_TYPES["other"])
    talk = conversation(span.attributes)
    raw = as_json(span)
    return {
        "span": span,
        "icon": icon,
        "type_name": type_name,
        "conversation": talk,
        # LLM messages say the same in better order.
        "payload": payload(span.attributes),
        "exceptions": exceptions(span.events),
        "error_text": error_text(span),
        "attributes": [(key, shown(text)) for key, text in sorted(span.attributes.items())],
        "resource": [(key, shown(text)) for key, text in sorted(span.resource.items())],
        "events": [
            (event, [(key, shown(text)) for key, text in sorted(event.attributes.items())]) for event in span.events
        ],
        "links": [(link, [(key, shown(text)) for key, text in sorted(link.attributes.items())]) for link in span.links],
        "raw": raw if len(raw) <= 10 * SHOWN_CHARACTERS else "",
        "raw_bytes": len(raw.encode()),
        "limit": SHOWN_CHARACTERS,
    }


class Shown(str):
    """A value as the attribute table shows it: indented when it is a structure, cut when it is long."""

    is_block: bool
    cut: int  # characters that are not shown


def shown(text: str) -> Shown:
    value = decoded(text)
    is_structure = isinstance(value, dict | list | tuple)
    full = pretty(value) if is_structure else text
    result = Shown(full[:SHOWN_CHARACTERS])
    result.cut = max(len(full) - SHOWN_CHARACTERS, 0)
    result.is_block = "\n" in result
    return result


def exceptions(events: list[Event]) -> list[dict[str, str]]:
    """The exceptions of a span: type, message, stacktrace. The agentops SDK records each twice: shown once."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for event in events:
        if event.name != EXCEPTION_EVENT:
            continue
        values = {name: event.attributes.get(f"exception.{name}", "") for name in ("type", "message", "stacktrace")}
        known = found.setdefault((values["type"], values["message"]), values)
        known["stacktrace"] = known["stacktrace"] or values["stacktrace"]
    return list(found.values())


def error_text(span: SpanDetail) -> str:
    """Why a span failed, in one text, where no exception event says so."""
    parts = (span.attributes.get("error.type", ""), span.status_message or span.attributes.get("error.message", ""))
    return ": ".join(part for part in parts if part) or span.attributes.get("exception", "")


def as_json(span: SpanDetail) -> str:
    """The whole span, typed columns included."""
    return orjson.dumps(asdict(span), option=orjson.OPT_INDENT_2, default=str).decode()
