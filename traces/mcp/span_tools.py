"""get_span: one span with what was said in it. Prompts may be megabytes, so values are cut, and read on by parts."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from agentops_portal import formats
from agentops_portal.formats import cut
from traces.reading.messages.media import named_text
from traces.store.queries.span_detail import Event, SpanDetail, span_detail
from traces.store.queries.trace_spans import span_by_id

from .results import SpanTokens, moment, rounded_ms, trace_url
from .tool import Answer, Fault, Parameters, Text, Tool
from .trace_tools import MAX_NAME, find_trace

# What a model's context takes at a time: all values of one answer, and one value of it unless told.
MAX_CHARACTERS = 40_000
DEFAULT_CHARACTERS = 4_000
MAX_FIELDS = 300
MAX_KEY = 250  # `field` has room for so many characters of a key


class SpanParameters(Parameters):
    span_id: Text = Field(description="16 hexadecimal digits.")
    trace_id: Text = Field("", description="Its trace: 32 hexadecimal digits. Faster, and needed only when ids repeat.")
    max_characters: int = Field(
        DEFAULT_CHARACTERS, ge=100, le=MAX_CHARACTERS, description="Characters of each value; longer ones are cut."
    )
    field: Text = Field("", description="Read only this value, by its name in `cut`, such as attributes.gen_ai.prompt.")
    offset: int = Field(0, ge=0, le=2**31, description="With `field`: characters to skip.")


class CutValue(BaseModel):
    """To read on, call get_span with `field` and `offset`."""

    field: str
    offset: int = Field(description="Characters in this answer.")
    characters: int = Field(description="Characters of the whole value.")


class SpanEvent(BaseModel):
    name: str
    time: datetime
    attributes: dict[str, str]


class SpanLink(BaseModel):
    trace_id: str
    span_id: str


class Part(BaseModel):
    """The value of `field` from `offset` on."""

    field: str
    offset: int
    text: str
    characters: int = Field(description="Of the whole value.")
    next_offset: int | None = Field(description="Where to read on; null at the end.")


class SpanResult(BaseModel):
    trace_id: str
    span_id: str
    parent_span_id: str
    name: str
    type: str
    kind: str
    service: str
    status: str
    status_message: str
    start: datetime
    duration_ms: float
    is_llm_call: bool
    model: str
    requested_model: str
    provider: str
    tokens: SpanTokens
    cost_usd: float | None = Field(description="As reported, else by the price book; null when nobody knows it.")
    cost_source: str = Field(description="reported, computed by the price book, unknown; empty when nothing was paid.")
    discounts: list[float] = Field(description="Per cent that the price book took off a computed cost.")
    session_id: str
    user_id: str
    agent: str
    tool: str
    guardrail: str
    guardrail_mode: str
    guardrail_outcome: str
    http_status: int
    same_call_as: str = Field(
        description="The span that tells the same call and is counted; this one then adds nothing. Blank for others."
    )
    same_call_trace: str = Field(description="The trace of that span, where it is another one.")
    same_call_service: str = Field(
        description="The service that reports the same calls, where the span's own is left out; it then adds nothing."
    )
    attributes: dict[str, str] = Field(
        description="As sent, as text: prompts, answers, parameters. Empty with `field`."
    )
    resource: dict[str, str] = Field(description="What the span's process said of itself. Empty with `field`.")
    events: list[SpanEvent] = Field(description="Exceptions among them. Empty with `field`.")
    links: list[SpanLink]
    cut: list[CutValue] = Field(description="Values that are not whole in this answer.")
    fields_left_out: int = Field(description="Values that are not in this answer at all, for there are very many.")
    part: Part | None = Field(description="Only with `field`.")
    url: str


class _Budget:
    """Cuts values one after another until the answer is full, and keeps account of it."""

    def __init__(self, each: int) -> None:
        self._each = each
        self._left = MAX_CHARACTERS
        self.fields = 0
        self.left_out = 0
        self.cut: list[CutValue] = []

    def admits(self, key: str) -> bool:
        self.fields += 1
        if self.fields <= MAX_FIELDS and len(key) <= MAX_KEY:
            return True
        self.left_out += 1
        return False

    def shown(self, field: str, text: str) -> str:
        text = named_text(text)  # a photo would be all that a model gets to read
        limit = min(self._each, self._left)
        if len(text) > limit:
            self.cut.append(CutValue(field=field, offset=limit, characters=len(text)))
        self._left -= min(len(text), limit)
        return text[:limit]

    def shown_map(self, prefix: str, values: dict[str, str]) -> dict[str, str]:
        return {key: self.shown(f"{prefix}.{key}", text) for key, text in sorted(values.items()) if self.admits(key)}


def get_span(project_id: UUID, wanted: SpanParameters) -> Answer:
    span = _find(project_id, wanted)
    budget = _Budget(wanted.max_characters)
    message = budget.shown("status_message", span.status_message)
    values = dict(_values(span)) if wanted.field else {}
    if wanted.field and wanted.field not in values:
        raise Fault("field: This span has no such value. Names stand in `cut`, such as attributes.gen_ai.prompt.")
    is_whole = not wanted.field
    result = SpanResult(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_span_id=span.parent_span_id,
        name=cut(span.name, MAX_NAME),
        type=span.type,
        kind=span.kind,
        service=cut(span.service, MAX_NAME),
        status=span.status,
        status_message=message,
        start=moment(span.start_ns),
        duration_ms=rounded_ms(span.end_ns - span.start_ns),
        is_llm_call=span.is_llm_call,
        model=cut(span.model, MAX_NAME),
        requested_model=cut(span.requested_model, MAX_NAME),
        provider=cut(span.provider, MAX_NAME),
        tokens=SpanTokens(
            input=span.input_tokens,
            output=span.output_tokens,
            cached_input=span.cached_input_tokens,
            cache_write=span.cache_write_tokens,
            reasoning=span.reasoning_tokens,
            total=span.total_tokens,
        ),
        cost_usd=None if span.cost.known is None else float(span.cost.known),
        cost_source=span.cost.source,
        discounts=[float(percent) for percent in span.cost.discounts],
        session_id=cut(span.session_id, MAX_NAME),
        user_id=cut(span.user_id, MAX_NAME),
        agent=cut(span.agent_name, MAX_NAME),
        tool=cut(span.tool_name, MAX_NAME),
        guardrail=cut(span.guardrail_name, MAX_NAME),
        guardrail_mode=cut(span.guardrail_mode, MAX_NAME),
        guardrail_outcome=span.guardrail_outcome,
        http_status=span.http_status,
        same_call_as=span.same_call_as,
        same_call_trace=span.same_call_trace,
        same_call_service=span.same_call_service,
        attributes=budget.shown_map("attributes", span.attributes) if is_whole else {},
        events=[_event(budget, number, event) for number, event in enumerate(span.events)] if is_whole else [],
        resource=budget.shown_map("resource", span.resource) if is_whole else {},
        links=[SpanLink(trace_id=link.trace_id, span_id=link.span_id) for link in span.links[:50]],
        cut=budget.cut,
        fields_left_out=budget.left_out,
        part=None if is_whole else _part(values[wanted.field], wanted),
        url=trace_url(project_id, span.trace_id, span.span_id),
    )
    return Answer(result, "\n".join(_lines(result)))


def _find(project_id: UUID, wanted: SpanParameters) -> SpanDetail:
    span_id = wanted.span_id.lower()
    if len(span_id) != 16 or not set(span_id) <= set("0123456789abcdef"):
        raise Fault("span_id: A span id is 16 hexadecimal digits.")
    if wanted.trace_id:
        trace_id, scope = find_trace(project_id, wanted.trace_id)
        span = span_detail(scope, trace_id, span_id)
    else:
        span = span_by_id(project_id, span_id)
    if span is None:
        raise Fault(f"span_id: There is no such span in this {'trace' if wanted.trace_id else 'project'}.")
    return span


def _event(budget: _Budget, number: int, event: Event) -> SpanEvent:
    return SpanEvent(
        name=cut(event.name, MAX_NAME),
        time=moment(event.time_ns),
        attributes=budget.shown_map(f"events.{number}", event.attributes),
    )


def _values(span: SpanDetail) -> Iterator[tuple[str, str]]:
    """Every value by the name that `field` takes."""
    yield "status_message", span.status_message
    for prefix, values in (("attributes", span.attributes), ("resource", span.resource)):
        yield from ((f"{prefix}.{key}", text) for key, text in values.items())
    for number, event in enumerate(span.events):
        yield from ((f"events.{number}.{key}", text) for key, text in event.attributes.items())


def _part(whole: str, wanted: SpanParameters) -> Part:
    text = named_text(whole)
    end = wanted.offset + wanted.max_characters
    return Part(
        field=wanted.field,
        offset=wanted.offset,
        text=text[wanted.offset : end],
        characters=len(text),
        next_offset=end if end < len(text) else None,
    )


def _lines(span: SpanResult) -> Iterator[str]:
    yield (
        f"span {span.span_id} of trace {span.trace_id}: {span.type} {span.name!r}, {span.status}, "
        f"{span.start.isoformat(timespec='milliseconds')}, {formats.duration(round(span.duration_ms * formats.MS))}"
    )
    if span.part:
        rest = "" if span.part.next_offset is None else f"; read on with offset={span.part.next_offset}"
        end = span.part.offset + len(span.part.text)
        yield f"{span.part.field}, characters {span.part.offset} to {end} of {span.part.characters}{rest}:"
        yield span.part.text
        return
    if span.status_message:
        yield f"status message: {span.status_message}"
    if span.is_llm_call:
        cost = "cost unknown" if span.cost_usd is None else f"${span.cost_usd:g}"
        yield f"{span.model}: {span.tokens.input} input + {span.tokens.output} output tokens, {cost}"
    cuts = {each.field: each for each in span.cut}
    yield from _value_lines("attributes", span.attributes, cuts)
    for number, event in enumerate(span.events):
        yield f"event {event.name} at {event.time.isoformat(timespec='milliseconds')}"
        yield from _value_lines(f"events.{number}", event.attributes, cuts)
    yield from _value_lines("resource", span.resource, cuts)
    if span.fields_left_out:
        yield f"{span.fields_left_out} more values are not shown."


def _value_lines(prefix: str, values: dict[str, str], cuts: dict[str, CutValue]) -> Iterator[str]:
    for key, text in values.items():
        name = f"{prefix}.{key}"
        yield f"{name}: {text}"
        if each := cuts.get(name):
            yield f"[cut at {each.offset} of {each.characters} characters: field={name} offset={each.offset}]"


GET_SPAN = Tool(
    "get_span",
    "Get a span",
    "One span (a step of a trace) with everything that was sent of it: prompts and answers of an LLM call, input and "
    "output of a tool, exceptions, all attributes. Long values are cut; `cut` says which, and get_span with `field` "
    "and `offset` reads on.",
    SpanParameters,
    SpanResult,
    get_span,
)
