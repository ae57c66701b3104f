"""The filter language of traces, which the pages, the API and exports share."""

import json
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from traces.store.dialects.model_names import undated
from traces.store.figures import FIGURES, KNOWN_COST, OUTCOMES
from traces.store.tags import UNREAD

_DURATION = f"greatest({FIGURES['end_ns']} - {FIGURES['start_ns']}, 0)"
# What a trace without LLM calls and reports cost is known: nothing. NULL fits no bound.
_COST = f"if(isNull({KNOWN_COST}) AND {FIGURES['unknown_cost_calls']} = 0, 0, {KNOWN_COST})"
# Most tags are stored as they are, a few in the list that the client sent (traces/store/tags.py).
_UNREAD = f"startsWith(text, '{UNREAD}') AND arrayExists(form -> "
_SAYS_TAG = f"text = {{tag:String}} OR ({_UNREAD}position(text, form) > 0, {{quoted_tags:Array(String)}}))"
_HAS_PART = "positionCaseInsensitiveUTF8(text, {text:String}) > 0 OR " + (
    f"({_UNREAD}positionCaseInsensitiveUTF8(text, form) > 0, {{text_forms:Array(String)}}))"
)


def quoted(tag: str) -> list[str]:
    """A tag as it stands in a list: in JSON, with and without escapes, and in Python."""
    in_json = {json.dumps(tag), json.dumps(tag, ensure_ascii=False)}
    return sorted({*in_json, *(text.replace("/", "\\/") for text in in_json), repr(tag)})


def _forms(text: str) -> list[str]:
    """A part of a tag as it stands in such a list."""
    return sorted({form[1:-1] for each in (text, text.lower(), text.upper()) for form in quoted(each)})


@dataclass(frozen=True)
class TraceFilter:
    """What a trace must be to be listed; blank means any. All that is given must fit."""

    text: str = ""  # part of the trace id, of a span's name or of a tag, whatever the case
    status: str = ""  # ok | error
    model: str = ""
    llm_only: bool = False
    agent: str = ""
    user: str = ""
    session: str = ""
    service: str = ""  # of the root
    tag: str = ""
    guardrail: str = ""  # one of GUARDRAIL_OUTCOMES: of at least one run
    has_errors: bool | None = None  # failed spans, whatever the status
    min_duration_ns: int | None = None  # bounds belong to the range
    max_duration_ns: int | None = None
    min_cost: Decimal | None = None  # US dollars that are known; a trace of whose cost nothing is known fits no bound
    max_cost: Decimal | None = None

    def __bool__(self) -> bool:
        return any(getattr(self, each.name) != each.default for each in fields(self))

    def conditions(self) -> dict[str, str]:
        """SQL over the ingredients of a trace, by name."""
        wanted = {
            # Compared as text, so that % and _ mean themselves.
            "has_text": self.text
            and "position(trace_id, {trace_id_part:String}) > 0 OR "
            "arrayExists(name -> positionCaseInsensitiveUTF8(name, {text:String}) > 0, span_names) OR "
            f"arrayExists(text -> {_HAS_PART}, tag_texts)",
            "has_status": self.status and f"({FIGURES['status']}) = {{status:String}}",
            "has_model": self.model and f"has(model_names, {undated('{model:String}')})",
            "has_calls": self.llm_only and f"{FIGURES['llm_calls']} > 0",
            "has_agent": self.agent and "has(agent_names, {of_agent:String})",
            "has_user": self.user and f"{FIGURES['user_id']} = {{of_user:String}}",
            "has_session": self.session and f"{FIGURES['session_id']} = {{of_session:String}}",
            "has_service": self.service and "root.service = {of_service:String}",
            "has_tag": self.tag and f"arrayExists(text -> {_SAYS_TAG}, tag_texts)",
            "has_guardrail": self.guardrail and f"has({OUTCOMES}, {{outcome:String}})",
            "has_errors": self.has_errors is not None and f"failed_spans {'>' if self.has_errors else '='} 0",
            "is_long": self.min_duration_ns is not None and f"{_DURATION} >= {{min_duration:Int64}}",
            "is_short": self.max_duration_ns is not None and f"{_DURATION} <= {{max_duration:Int64}}",
            "is_dear": self.min_cost is not None and f"{_COST} >= {{min_cost:Decimal(38, 12)}}",
            "is_cheap": self.max_cost is not None and f"{_COST} <= {{max_cost:Decimal(38, 12)}}",
        }
        return {name: sql for name, sql in wanted.items() if isinstance(sql, str) and sql}

    def parameters(self) -> dict[str, Any]:
        """The values of the placeholders in `conditions`."""
        values: dict[str, Any] = {
            "text": self.text,
            # No id contains "\n": a text that is no part of an id must not match every id.
            "trace_id_part": self.text.replace("-", "").lower() or "\n",
            "status": self.status,
            "model": self.model,
            "of_agent": self.agent,
            "of_user": self.user,
            "of_session": self.session,
            "of_service": self.service,
            "tag": self.tag,
            "quoted_tags": quoted(self.tag),
            "text_forms": _forms(self.text),
            "outcome": self.guardrail,
            "min_duration": self.min_duration_ns,
            "max_duration": self.max_duration_ns,
            "min_cost": self.min_cost,
            "max_cost": self.max_cost,
        }
        sql = " ".join(self.conditions().values())
        return {name: value for name, value in values.items() if f"{{{name}:" in sql}
