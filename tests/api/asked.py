"""What was asked of ClickHouse: every query that passes through the gate, as the gate got it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from agentops_portal.clickhouse import gate
from agentops_portal.clickhouse.client import get_client

GRANULE = 8192  # rows that ClickHouse reads at least, where one fits


@dataclass
class Asked:
    name: str
    query: str
    parameters: Mapping[str, Any]

    @property
    def reads_spans(self) -> bool:
        return "otel_traces" in self.query

    @property
    def projects(self) -> set[str]:
        """One, but for look-ups in several."""
        return set(self.parameters.get("project_ids", ())) or {str(self.parameters.get("project_id"))}

    @property
    def length(self) -> timedelta:
        start, end = (datetime.fromisoformat(str(self.parameters[name])) for name in ("start", "end"))
        return end - start

    def rows_read(self) -> int:
        result = get_client().query(self.query, parameters=dict(self.parameters), query_tz="UTC")
        return int(result.summary["read_rows"])

    def rows_in_scope(self) -> int:
        """Spans of its project and range, and two granules more for each part that holds some of the project's."""
        scope = {name: self.parameters[name] for name in ("project_id", "start", "end")}
        result = get_client().query(
            "SELECT countIf(Timestamp >= {start:DateTime64(9)} AND Timestamp < {end:DateTime64(9)}), uniqExact(_part) "
            "FROM otel_traces WHERE project_id = {project_id:String}",
            parameters=scope,
            query_tz="UTC",
        )
        [(spans, parts)] = result.result_rows
        return int(spans + 2 * GRANULE * parts)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Asked]:
    """Every query that passes through the gate from now on."""
    found: list[Asked] = []

    def noting(inner: Callable[..., Any]) -> Callable[..., Any]:
        def note(query: str, name: str, parameters: dict[str, Any], limits: gate.Limits) -> Any:
            found.append(Asked(name, query, parameters))
            return inner(query, name, parameters, limits)

        return note

    for name in ("_rows", "_streamed"):
        monkeypatch.setattr(gate, name, noting(getattr(gate, name)))
    return found
