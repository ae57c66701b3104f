"""What a guardrail looked at and what it said of it, out of the run's span and the model call beside it."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from agentops_portal.formats import cut
from traces.reading.messages import Conversation, Message, conversation, payload
from traces.reading.messages.clipping import clipped
from traces.store.guard import shown_or
from traces.store.queries.guardrail_sample import Run, nearest_call
from traces.store.queries.scopes import scope_of
from traces.store.queries.span_detail import SpanDetail, span_detail
from traces.store.queries.trace_detail import trace_scope

LONGEST: Final = 20_000  # characters of one text
_OUTPUT: Final = "output"


@dataclass(frozen=True)
class Texts:
    """`input` and `output` of the run's own span; `said`: the messages of the call beside it, where these are none.

    problem: why there is nothing, a sentence for people.
    """

    input: str = ""
    output: str = ""
    response: str = ""  # the guardrail's own words
    masked: str = ""
    said: tuple[Message, ...] = ()
    problem: str = ""
    is_gone: bool = False  # the span is kept no more

    def __bool__(self) -> bool:
        return any((self.input, self.output, self.response, self.masked, self.said))

    @property
    def checked(self) -> str:
        """What was looked at, in one text; "" when nobody told."""
        lines = (f"{message.role}: {part.text}" for message in self.said for part in message.parts if part.text)
        return self.input or "\n".join(lines) or self.output


def texts_of(project_id: UUID, run: Run) -> Texts:
    """Raises ClickHouseError."""
    return shown_or(
        lambda reason: Texts(problem=reason),
        lambda: _texts(project_id, run),
        where="guardrail review",
        trace_id=run.trace_id,
        span_id=run.span_id,
    )


def _texts(project_id: UUID, run: Run) -> Texts:
    span = span_detail(scope_of(project_id, run.start_ns, run.start_ns), run.trace_id, run.span_id)
    if span is None:
        return Texts(is_gone=True)
    own = payload(span.attributes, span.events)
    said = () if own.input or (run.phase == _OUTPUT and own.output) else _said_beside(project_id, run, span)
    return Texts(
        input=cut(own.input, LONGEST),
        output=cut(own.output, LONGEST),
        response=cut(own.guardrail_response, LONGEST),
        masked=cut(own.masked_entities, LONGEST),
        said=said,
    )


def _said_beside(project_id: UUID, run: Run, span: SpanDetail) -> tuple[Message, ...]:
    """The prompt for a check of the input, the answer for one of the output; both for what says neither."""
    talk = conversation(span.attributes, span.events) or _of_nearest_call(project_id, run)
    room = clipped(talk).conversation
    if run.phase == "input":
        return room.asked
    return room.answered if run.phase == _OUTPUT else (*room.asked, *room.answered)


def _of_nearest_call(project_id: UUID, run: Run) -> Conversation:
    scope = trace_scope(project_id, run.trace_id)
    call = nearest_call(scope, run.trace_id, run.start_ns) if scope else ""
    found = span_detail(scope, run.trace_id, call) if scope and call else None
    return conversation(found.attributes, found.events) if found else Conversation()
