"""Leaves spans out of requests that are stored already, whatever request brought them: a span counts once.

A span is known by its project, trace id and span id. When it is sent again it has the start that it had, so it is
looked for at its start only, which is what `otel_traces` is sorted by. A pending span
(traces/store/dialects/pending.py) gives way to its final one: that is stored beside it, and readers show and count the
final one.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from traces.ingest.otlp.messages import TraceRequest
from traces.ingest.otlp.pending import is_pending
from traces.ingest.otlp.span_keys import SpanId, keys_of, split_ids

from . import spans as store
from .table import Entry


def leave_out_stored(entries: Iterable[Entry]) -> None:
    """Take from the bodies every span that is stored, or that an earlier one of these requests has, too.

    `repeated` of an entry counts them, except for those that its own earlier attempt may have stored. A body may
    become empty. Raises Unavailable.
    """
    of_project: dict[UUID, list[Entry]] = defaultdict(list)
    for entry in entries:
        of_project[entry.project_id].append(entry)
        if not entry.tried:
            entry.repeated = 0
    wanted = {
        project_id: store.Wanted(project_id, b"".join(entry.span_ids() for entry in own), [entry.keys for entry in own])
        for project_id, own in of_project.items()
    }
    stored = store.stored_spans(wanted.values())
    for project_id, own in of_project.items():
        known = stored[project_id]
        if suspects := _repeated(wanted[project_id].ids) | known.keys():
            for entry in own:
                if not suspects.isdisjoint(split_ids(entry.span_ids())):
                    _leave_out(entry, suspects, known)


def _leave_out(entry: Entry, suspects: Collection[SpanId], known: dict[SpanId, bool]) -> None:
    """Keep the spans that are new, and note them in `known`: id → whether it is final."""
    message = TraceRequest.FromString(entry.body)
    left_out = kept = 0
    for resource_spans in message.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            news = [span for span in scope_spans.spans if _is_news(span, suspects, known)]
            kept += len(news)
            if len(news) < len(scope_spans.spans):
                left_out += len(scope_spans.spans) - len(news)
                del scope_spans.spans[:]
                scope_spans.spans.extend(news)
    if left_out:
        entry.body = message.SerializeToString() if kept else b""
        entry.keys = keys_of(message)
        entry.repeated += 0 if entry.tried else left_out


def _is_news(span: Any, suspects: Collection[SpanId], known: dict[SpanId, bool]) -> bool:
    span_id = span.trace_id + span.span_id
    if span_id not in suspects:
        return True
    is_final = not is_pending(span)
    if span_id in known and known[span_id] >= is_final:
        return False
    known[span_id] = is_final
    return True


def _repeated(ids: bytes) -> set[SpanId]:
    each = split_ids(ids)
    if len(set(each)) == len(each):
        return set()
    return {span_id for span_id, count in Counter(each).items() if count > 1}
