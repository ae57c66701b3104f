"""Two services that seem to report the same calls, though nothing ties their spans together: an application with one
instrumentation and the gateway that it calls with another, in traces of their own and without ids of answers.

Two calls coincide when they overlap, name the same model and tell the same tokens, and no other call of either service
does so with them. Two services tell the same calls when that is so of nearly all that one of them tells, and not of
one prompt that is sent again and again.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from agentops_portal.units import NS_OF_QUARTER
from traces.store.dialects.model_names import undated
from traces.store.rollups.rollup import IN_A_TRACE, units_since_1970
from traces.store.rollups.usage import USAGE
from traces.store.schema.tables import SPANS
from traces.store.schema.verdicts import VERDICTS

HOURS = 24  # that are looked at
LEAST_CALLS = 20
LEAST_SHARE = 0.9
LEAST_DIFFERENT = 5  # numbers of tokens
MOST_CALLS = 20_000  # of a project, the newest
# Beyond so many calls at once of one model with the same tokens nothing can be told.
MOST_AT_ONCE = 100

_SINCE = f"now64(9) - toIntervalHour({HOURS})"
_PROJECTS = f"""
    SELECT DISTINCT project_id FROM (
        SELECT toString(project_id) AS project_id, model, service, sum(spans) AS calls FROM {USAGE.table}
        WHERE type IN ('llm', 'embedding') AND model != '' AND quarter >= {units_since_1970(_SINCE, NS_OF_QUARTER)}
        GROUP BY project_id, model, service HAVING calls > 0
    ) GROUP BY project_id, model HAVING count() > 1
"""
_CALLS = f"""
    SELECT ServiceName, {undated("model")}, input_tokens, output_tokens,
        toUnixTimestamp64Nano(Timestamp), toUnixTimestamp64Nano(end_timestamp)
    FROM {SPANS}
    WHERE project_id = {{project:String}} AND Timestamp >= {_SINCE}
        AND is_llm_call AND NOT is_pending AND total_tokens > 0 AND {IN_A_TRACE}
        AND (TraceId, SpanId) GLOBAL NOT IN (
            SELECT TraceId, SpanId FROM {VERDICTS}
            WHERE project_id = {{project:String}} AND Timestamp >= {_SINCE} AND sign = 1 AND same_as != ''
        )
    ORDER BY Timestamp DESC LIMIT {MOST_CALLS}
"""


class Call(NamedTuple):
    """Times are nanoseconds since 1970."""

    service: str
    model: str
    input_tokens: int
    output_tokens: int
    start_ns: int
    end_ns: int


@dataclass(frozen=True)
class Coinciding:
    """Two services, in the order of the alphabet: how many calls each tells, and how many of them are the same."""

    service: str
    other: str
    calls: int
    other_calls: int
    same: int


def projects_of_services(client: Client) -> list[str]:
    """Projects in which two services called one model lately."""
    return [project_id for (project_id,) in client.query(_PROJECTS).result_rows]


def coinciding_in(client: Client, project_id: str) -> list[Coinciding]:
    """Of the calls of the last HOURS that count."""
    rows = client.query(_CALLS, parameters={"project": project_id}).result_rows
    return coinciding(Call(*row) for row in rows)


def coinciding(calls: Iterable[Call]) -> list[Coinciding]:
    """The services that seem to tell the same calls, whatever the order of these."""
    told: Counter[str] = Counter()
    alike: dict[tuple[str, int, int], list[Call]] = defaultdict(list)
    for call in calls:
        told[call.service] += 1
        alike[call.model, call.input_tokens, call.output_tokens].append(call)
    same: Counter[tuple[str, str]] = Counter()
    different: dict[tuple[str, str], set[tuple[int, int]]] = defaultdict(set)
    for (_, sent, answered), some in alike.items():
        for pair in _only_pairs(some):
            same[pair] += 1
            different[pair].add((sent, answered))
    return [
        Coinciding(one, other, told[one], told[other], count)
        for (one, other), count in sorted(same.items())
        if count >= LEAST_CALLS
        and count >= LEAST_SHARE * min(told[one], told[other])
        and len(different[one, other]) >= LEAST_DIFFERENT
    ]


def _only_pairs(calls: list[Call]) -> Iterator[tuple[str, str]]:
    """The services of each two calls that overlap one another, and no other call of the two services."""
    ordered = sorted(calls, key=lambda call: call.start_ns)
    beside: dict[tuple[int, str], list[int]] = defaultdict(list)  # (call, another service) → calls that overlap it
    open_calls: list[int] = []
    for place, call in enumerate(ordered):
        open_calls = [each for each in open_calls if ordered[each].end_ns >= call.start_ns][-MOST_AT_ONCE:]
        for each in open_calls:
            if ordered[each].service != call.service:
                beside[place, ordered[each].service].append(each)
                beside[each, call.service].append(place)
        open_calls.append(place)
    for (place, service), others in beside.items():
        mine = ordered[place].service
        if mine < service and len(others) == 1 and beside[others[0], mine] == [place]:
            yield mine, service
