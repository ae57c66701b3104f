"""What one span says about the run of a guardrail: the columns that are blank on every other span."""

from collections.abc import Iterable

from traces.store.dialects import Dialect
from traces.store.dialects.base import NO_FILTER, first_of, where

from .told import Told

TRIPWIRE = "Guardrail tripwire triggered"
_TEXT = "LowCardinality(String)"


def guardrail_columns(dialects: Iterable[Dialect], told: Told) -> dict[str, tuple[str, str]]:
    """Column → (type, expression). They use is_pending and stated_kind."""
    return {
        "guardrail_name": (_TEXT, _name(told)),
        "guardrail_mode": (_TEXT, _mode(told)),
        "guardrail_outcome": (_TEXT, _outcome(dialects, told)),
        # What openai-agents says of a guardrail that stopped a run, on the span that started the guardrail.
        "tripped_guardrail": (
            _TEXT,
            f"if(startsWith(StatusMessage, '{TRIPWIRE}'), "
            """extract(StatusMessage, '["'']guardrail["'']: *["'']([^"'']+)'), '')""",
        ),
    }


def _name(told: Told) -> str:
    filters = f"replaceOne({told.value('finish')}, '{NO_FILTER}', '')"
    stated = f"if(stated_kind = 'guardrail', {told.entity()}, '')"
    rail = f"if({told.value('rail')} != '', {told.value('rail_name')}, '')"
    guard = f"if(startsWith({told.value('step')}, 'guardrails/'), '', {told.value('guard')})"
    others = (f"({each})" for each in (filters, *told.sources("filter"), stated, rail, guard))
    return first_of([*told.sources("guardrail_name"), *others])


def _mode(told: Told) -> str:
    # A list of modes comes as Python's text of one: "['pre_call', 'post_call']" is pre_call,post_call.
    mode = f"replaceRegexpAll({told.value('guardrail_mode')}, '[^a-zA-Z0-9_.,:-]', '')"
    return f"if(guardrail_name = '', '', {mode})"


def _outcome(dialects: Iterable[Dialect], told: Told) -> str:
    """What a dialect says, else what the span's status says; '' for one that did not run or has not ended.

    What a guardrail did goes before what it found; that it let pass says nothing of what it found.
    """
    done, found = told.value("done"), told.value("found")
    worded = f"(if({done} IN ('', 'allowed') AND {found} != '', {found}, {done}))"
    outcomes = [f"({dialect.guardrail_outcome})" for dialect in dialects if dialect.guardrail_outcome]
    outcome = first_of([worded, *outcomes, "(if(StatusCode = 'Error', 'failed', 'unknown'))"])
    return where("guardrail_name != '' AND NOT is_pending", f"replaceOne({outcome}, 'not_run', '')")
