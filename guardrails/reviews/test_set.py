"""Checks in which a guardrail wrongly stepped in, as a file to test guardrails with: one JSON object a line.

A file that ends early says so in its last line: `{"incomplete": true, "error": reason}`.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import orjson

from agentops_portal.clickhouse.gate import ClickHouseError, Scope
from agentops_portal.units import iso_utc
from traces.reading.export import ExportBroken
from traces.store.queries.guardrail_keys import start_of_key
from traces.store.queries.guardrail_sample import run_of_key
from traces.store.values.surrogates import mended

from .models import Review
from .texts import Texts, texts_of


def false_positives(scope: Scope, with_text: bool) -> Iterator[bytes]:
    """Of runs that started in the scope, the oldest first. Without text for who may not read any.

    Raises ClickHouseError before the first line, ExportBroken after it.
    """
    reviews = Review.objects.of_project(scope.project_id).of_runs_between(scope.start, scope.end).false_positives()
    # All at once: they are few enough, for people gave them, and no cursor stays open while the file is sent.
    rows = list(reviews.order_by("started_at", "run_key", "created_at"))
    for written, (key, of_run) in enumerate(groupby(rows, lambda review: review.run_key)):
        try:
            texts = _texts(scope, key) if with_text else None
        except ClickHouseError as error:
            if not written:
                raise
            yield _line({"incomplete": True, "error": "The span store stopped answering: ask for the file again."})
            raise ExportBroken(f"export ended after {written} checks") from error
        yield _line(_case(list(of_run), texts))


def _texts(scope: Scope, key: str) -> Texts:
    run = run_of_key(scope.project_id, key)
    return texts_of(scope.project_id, run) if run else Texts(is_gone=True)


def _case(reviews: Sequence[Review], texts: Texts | None) -> dict[str, Any]:
    review = reviews[0]
    text = mended(texts.checked) if texts else ""
    return {
        "id": review.run_key,
        "text": text or None,
        "text_status": _status(texts, text),
        "expected": "allowed",
        "guardrail": review.guardrail,
        "mode": review.mode,
        "phase": review.phase,
        "outcome": review.outcome,
        "start": iso_utc(start_of_key(review.run_key)),
        "trace_id": review.trace_id,
        "reviewers": len(reviews),
        "notes": [each.note for each in reviews if each.note],
    }


def _status(texts: Texts | None, text: str) -> str:
    if texts is None:
        return "redacted"
    if text:
        return "complete"
    return "gone" if texts.is_gone else "unreadable" if texts.problem else "not_sent"


def _line(value: dict[str, Any]) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)
