"""What the page of one span shows, and how much of it: what has no room is in the JSON."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from agentops_portal.clickhouse.gate import Scope
from agentops_portal.formats import cut
from traces.reading.messages import Conversation, Payload, conversation, payload
from traces.reading.messages.below import completed, told_in_logs
from traces.reading.messages.clipping import clipped
from traces.reading.messages.media import named, named_text
from traces.reading.waterfall import SPAN_TYPES
from traces.store.calls.layers import FAILURE, NESTED, RESPONSE
from traces.store.calls.twins import STREAM, TWIN
from traces.store.guard import shown_or
from traces.store.queries.span_children import span_children, spans_of_logs
from traces.store.queries.span_detail import Event, SpanDetail
from traces.store.values.parse import decoded, pretty

from .store_errors import wants_fragment

# A longer value is cut on the page and whole in the JSON.
SHOWN_CHARACTERS = 20_000
NAME_CHARACTERS = 300
# Of all tables of the page together. Values that come when there is no more room are cut to BRIEF_CHARACTERS.
TABLE_CHARACTERS = 400_000
TABLE_ROWS = 1_000
BRIEF_CHARACTERS = 200
MAX_EVENTS = 200  # and links
MAX_EXCEPTIONS = 20
EXCEPTION_EVENT = "exception"
# Why a span is the same call as another one.
SAME_CALL = {
    NESTED: _("one lies within the other"),
    RESPONSE: _("both name the same answer"),
    FAILURE: _("both failed in the same moment, below the same span"),
    TWIN: _("another instrumentation tells as many tokens at the same time"),
    STREAM: _("it tells the end of a streamed answer"),
}


def span_response(
    request: HttpRequest, page: str, scope: Scope, span: SpanDetail, context: Mapping[str, Any]
) -> HttpResponse:
    """The span on a `page` of its own, or the part of it that the trace page's script asks for. `scope`: of its trace.

    A span that cannot be shown is told as such, with the way to its JSON.
    """

    def answer(part: str, content: Mapping[str, Any]) -> HttpResponse:
        full = {**context, **content, "span_template": part}
        return render(request, part if wants_fragment(request) else page, full)

    return shown_or(
        lambda reason: answer("traces/_span_unshown.html", {"span": _headline(span), "reason": reason}),
        lambda: answer("traces/_span.html", span_context(scope, span)),
        where="span page",
        trace_id=span.trace_id,
        span_id=span.span_id,
    )


def span_context(scope: Scope, span: SpanDetail) -> dict[str, Any]:
    """Template context of `_span.html`."""
    icon, type_name = SPAN_TYPES.get(span.type, SPAN_TYPES["other"])
    whole, teller = conversation(span.attributes, span.events), ""
    if span.is_llm_call or span.same_call_as or span.same_call_service:
        whole, teller = completed(whole, lambda: span_children(scope, span.trace_id, span.span_id))
        if not teller:
            whole, teller = told_in_logs(whole, lambda: spans_of_logs(scope, span))
    talk = clipped(whole)
    around = payload(span.attributes, span.events)
    raw = as_json(span)
    room = _Room()
    found = exceptions(span.events)
    return {
        "span": _headline(span),
        "same_call_why": SAME_CALL.get(span.same_call_why, ""),
        "icon": icon,
        "type_name": type_name,
        "conversation": talk.conversation,
        "answer_of": cut(teller, NAME_CHARACTERS),
        "hidden_messages": talk.hidden_messages,
        "hidden_tools": talk.hidden_tools,
        "payload": _cut_payload(_beside(talk.conversation, around)),
        "exceptions": found[:MAX_EXCEPTIONS],
        "hidden_exceptions": max(len(found) - MAX_EXCEPTIONS, 0),
        "error_text": error_text(span)[:SHOWN_CHARACTERS],
        "attributes": room.rows(span.attributes),
        "resource": room.rows(span.resource),
        "events": [(event, room.rows(event.attributes)) for event in span.events[:MAX_EVENTS]],
        "hidden_events": max(len(span.events) - MAX_EVENTS, 0),
        "links": [(link, room.rows(link.attributes)) for link in span.links[:MAX_EVENTS]],
        "hidden_links": max(len(span.links) - MAX_EVENTS, 0),
        "counts": {"attributes": len(span.attributes), "events": len(span.events), "links": len(span.links)},
        "raw": raw if len(raw) <= 10 * SHOWN_CHARACTERS else "",
        "raw_bytes": len(raw.encode()),
    }


def _headline(span: SpanDetail) -> SpanDetail:
    """The span with names of a length that a heading has room for."""
    values = {name: value for name, value in vars(span).items() if isinstance(value, str)}
    long = {name: cut(value, NAME_CHARACTERS) for name, value in values.items() if len(value) > NAME_CHARACTERS}
    if "status_message" in long:
        long["status_message"] = span.status_message[:SHOWN_CHARACTERS]
    return replace(span, **long)  # type: ignore[arg-type]


def _beside(talk: Conversation, whole: Payload) -> Payload:
    """What the messages do not say: they say the same in better order."""
    return replace(whole, input="" if talk.asked else whole.input, output="" if talk.answered else whole.output)


def _cut_payload(whole: Payload) -> Payload:
    return Payload(**{name: cut(value, SHOWN_CHARACTERS) for name, value in asdict(whole).items()})


class Shown(str):
    """A value as the attribute table shows it: indented when it is a structure, cut when it is long, and an image in
    it by its size.
    """

    is_block: bool
    cut: int  # characters that are not shown


def shown(text: str, limit: int = SHOWN_CHARACTERS) -> Shown:
    value = decoded(text)
    is_structure = isinstance(value, dict | list | tuple)
    full = pretty(named(value)) if is_structure else named_text(text)
    result = Shown(full[:limit])
    result.cut = max(len(full) - limit, 0)
    result.is_block = "\n" in result
    return result


@dataclass(frozen=True)
class Rows:
    """Rows of a table, by key; and the number of those for which there is no room."""

    shown: list[tuple[str, Shown]]
    hidden: int

    def __bool__(self) -> bool:
        return bool(self.shown or self.hidden)


class _Room:
    """What is left of the page for tables."""

    def __init__(self) -> None:
        self._rows = TABLE_ROWS
        self._characters = TABLE_CHARACTERS

    def rows(self, values: Mapping[str, str]) -> Rows:
        keys = sorted(values)[: self._rows]
        self._rows -= len(keys)
        return Rows(list(self._shown(keys, values)), len(values) - len(keys))

    def _shown(self, keys: Iterable[str], values: Mapping[str, str]) -> Iterable[tuple[str, Shown]]:
        for key in keys:
            limit = SHOWN_CHARACTERS if self._characters > 0 else BRIEF_CHARACTERS
            value = shown(values[key], limit)
            self._characters -= len(value)
            yield cut(key, NAME_CHARACTERS), value


def exceptions(events: list[Event]) -> list[dict[str, str]]:
    """The exceptions of a span: type, message, stacktrace. The agentops SDK records each twice: shown once."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for event in events:
        if event.name != EXCEPTION_EVENT:
            continue
        names = ("type", "message", "stacktrace")
        values = {name: cut(event.attributes.get(f"exception.{name}", ""), SHOWN_CHARACTERS) for name in names}
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
