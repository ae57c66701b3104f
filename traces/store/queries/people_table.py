"""Sessions and users of a range as a table of a page: sorted by any of their figures, page by page, or just one.

Read from the roll-ups, so it costs what the traces of the range cost, never their spans.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, get_args

from agentops_portal.clickhouse.gate import Scope, select
from traces.store.figures import FIGURES

from .people import COUNTS, SUMS, Person, figures_named, person_of
from .person_keys import DIGEST, PersonKind, digest_sql
from .summaries import traces_sql
from .trace_metrics import DURATION

Order = Literal["last", "first", "traces", "errors", "calls", "tokens", "cost", "blocked", "latency"]
ORDERS: tuple[Order, ...] = get_args(Order)
_KEYS: Mapping[Order, str] = {
    "last": "last_ns",
    "first": "first_ns",
    "traces": "traces",
    "errors": "error_traces",
    "calls": "llm_calls",
    "tokens": "total_tokens",
    # Of whom nothing is known come last.
    "cost": "coalesce(reported_cost + computed_cost, reported_cost, computed_cost, -1)",
    "blocked": "blocked_runs",
    "latency": "p95_ns",
}
_OTHER: Mapping[PersonKind, PersonKind] = {"session": "user", "user": "session"}
_SCALE = 12  # decimals of a key: those of a cost
_CURSOR = re.compile(rf"(?P<value>-?[0-9]{{1,25}}(\.[0-9]{{1,{_SCALE}}})?)-(?P<digest>[0-9a-f]{{{DIGEST}}})")


@dataclass(frozen=True)
class PersonRow:
    """p95_ns: of the durations of the traces."""

    person: Person
    p95_ns: int


@dataclass(frozen=True)
class PersonCursor:
    """The last row of a page by what it is sorted by. Text form: `value-digest`."""

    value: Decimal
    digest: str

    @classmethod
    def parse(cls, text: str) -> "PersonCursor":
        """Raises ValueError when `text` is not what `str()` of a cursor gives."""
        found = _CURSOR.fullmatch(text)
        if found is None:
            raise ValueError("no place in a list")
        return cls(Decimal(found["value"]), found["digest"])

    def __str__(self) -> str:
        return f"{self.value:f}-{self.digest}"


@dataclass(frozen=True)
class PeopleFilter:
    text: str = ""  # part of the id, whatever the case
    id: str = ""  # the very one
    user: str = ""  # of sessions: those with traces of this user, and of them these traces


@dataclass(frozen=True)
class PeoplePage:
    rows: list[PersonRow]
    next_cursor: PersonCursor | None


def people_page(
    scope: Scope, kind: PersonKind, wanted: PeopleFilter, order: Order, after: PersonCursor | None, size: int
) -> PeoplePage:
    """Those with traces of the scope, the largest figure first; figures cover these traces."""
    source = traces_sql(
        scope,
        {
            "who": FIGURES[f"{kind}_id"],
            "other": FIGURES[f"{_OTHER[kind]}_id"],
            "figure_duration": DURATION,
            **figures_named("status", "start_ns", "end_ns", *SUMS),
        },
    )
    sums = ", ".join(f"sum(figure_{name}) AS {name}" for name in SUMS)
    conditions = {
        "who != ''": True,
        # Compared as text, so that % and _ mean themselves.
        "positionCaseInsensitiveUTF8(who, {text:String}) > 0": bool(wanted.text),
        "who = {id:String}": bool(wanted.id),
        "other = {user:String}": bool(wanted.user),
    }
    follows = f"(sort_key, digest) < ({{after:Decimal(38, {_SCALE})}}, {{after_digest:String}})" if after else "true"
    parameters: dict[str, Any] = {
        "text": wanted.text,
        "id": wanted.id,
        "user": wanted.user,
        "after": after.value if after else None,
        "after_digest": after.digest if after else "",
        "limit": size + 1,
    }
    sql = f"""
        SELECT who, {COUNTS}, {sums}, toInt64(quantileExactInclusive(0.95)(figure_duration)) AS p95_ns,
            arraySort(groupUniqArrayIf(20)(other, other != '')) AS others,
            uniqExactIf(other, other != '') AS other_count,
            toDecimal128({_KEYS[order]}, {_SCALE}) AS sort_key, {digest_sql("who")} AS digest
        FROM ({source})
        WHERE {" AND ".join(sql for sql, is_asked in conditions.items() if is_asked)}
        GROUP BY who
        HAVING {follows}
        ORDER BY sort_key DESC, digest DESC
        LIMIT {{limit:UInt32}}
    """
    rows = select(
        sql,
        name=f"people_table.{kind}s",
        scope=scope,
        parameters={name: value for name, value in parameters.items() if f"{{{name}:" in sql},
    )
    shown = rows[:size]
    cursor = PersonCursor(shown[-1]["sort_key"], shown[-1]["digest"]) if len(rows) > size else None
    return PeoplePage([_row(row) for row in shown], cursor)


def person(scope: Scope, kind: PersonKind, id_: str) -> PersonRow | None:
    """What the traces of the scope that name one session or user came to; None without any."""
    found = people_page(scope, kind, PeopleFilter(id=id_), "last", None, 1).rows
    return found[0] if found else None


def _row(row: dict[str, Any]) -> PersonRow:
    p95_ns = row.pop("p95_ns")
    for name in ("sort_key", "digest"):
        del row[name]
    return PersonRow(person_of(row), p95_ns)
