"""Everybody who reads traces: the addresses, and the tools of the MCP server."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Place:
    """What the addresses are about. Times are ISO 8601."""

    project: str
    trace: str
    span: str
    start: str
    end: str
    share: str  # the token of a link to the trace


@dataclass(frozen=True)
class Reader:
    """One request. `who`: person (a session), key, or nobody."""

    name: str
    address: str
    who: str = "key"
    body: dict[str, Any] | None = None  # POSTed
    is_fragment: bool = False


def of_trace(place: Place) -> Iterator[Reader]:
    """Who shows one trace."""
    page = f"/projects/{place.project}/traces/{place.trace}/"
    rest, monitoring = f"/api/v1/projects/{place.project}/traces/{place.trace}", "/api/monitoring"
    of_project = f"project_id={place.project}"
    yield Reader("trace page", page, "person")
    yield Reader("share", f"/share/{place.share}/", "nobody")
    yield Reader("v1 trace", f"{rest}?include=attributes")
    yield Reader("v1 spans", f"{rest}/spans?include=attributes")
    yield Reader("v4 detail", f"/v4/traces/detail/{place.trace}")
    yield Reader("v4 trace", f"/v4/traces/{place.trace}?{of_project}")
    yield Reader("public trace", f"/public/v1/traces/{place.trace}")
    yield Reader("public trace metrics", f"/public/v1/traces/{place.trace}/metrics")
    for name in ("traces", "replay", "timeline"):
        yield Reader(f"monitoring {name}", f"{monitoring}/{name}/{place.trace}?{of_project}")
    yield Reader("flow of trace", f"{monitoring}/analytics/agent-flow?{of_project}&trace_id={place.trace}")
    yield Reader("session redirect", f"/sessions?trace_id={place.trace}", "person")


def of_span(place: Place) -> Iterator[Reader]:
    """Who shows one span."""
    page = f"/projects/{place.project}/traces/{place.trace}/spans/{place.span}/"
    yield Reader("span page", page, "person")
    yield Reader("span panel", page, "person", is_fragment=True)
    yield Reader("span JSON", f"{page}?format=json", "person")
    yield Reader("shared span", f"/share/{place.share}/spans/{place.span}/", "nobody")
    yield Reader("v1 span", f"/api/v1/projects/{place.project}/traces/{place.trace}/spans/{place.span}")
    yield Reader("public span", f"/public/v1/spans/{place.span}")
    yield Reader("public span metrics", f"/public/v1/spans/{place.span}/metrics")


def of_project(place: Place) -> Iterator[Reader]:
    """Who shows many traces."""
    rest, range_ = f"/api/v1/projects/{place.project}", f"start={place.start}&end={place.end}"
    times = f"project_id={place.project}&start_time={place.start}&end_time={place.end}"
    page = f"/projects/{place.project}"
    yield Reader("trace list", f"{page}/traces/", "person")
    yield Reader("project list", "/projects/", "person")
    yield Reader("overview", f"{page}/", "person")
    for by in ("", "model", "agent", "user"):
        yield Reader(f"analytics {by}".rstrip(), f"{page}/analytics/?by={by}", "person")
    yield Reader("analytics file", f"{page}/analytics/?by=model&csv=by-model", "person")
    for name in ("flow", "guardrails", "guardrails/runs"):
        yield Reader(f"page {name}", f"{page}/{name}/", "person")
    for name in ("traces", "sessions", "users", "agents", "usage", "guardrails/runs", "guardrails/summary"):
        yield Reader(f"v1 {name}", f"{rest}/{name}?{range_}")
    yield Reader("v1 usage by model", f"{rest}/usage/by?by=model&{range_}")
    for format_ in ("csv", "json", "jsonl"):
        options = f"format={format_}&spans=true&attributes=true"
        yield Reader(f"export {format_}", f"{rest}/traces/export?{options}&{range_}")
    yield Reader("v4 list", f"/v4/traces?{times}")
    yield Reader("v4 metrics", f"/v4/meterics/project/{place.project}?start_time={place.start}&end_time={place.end}")
    yield Reader("public list", "/public/v1/traces")
    monitored = (
        *("traces", "metrics", "agents/usage", "agents/registry"),
        *(f"analytics/{name}" for name in ("cost-trend", "token-usage", "performance", "performance-summary")),
        *(f"analytics/{name}" for name in ("agent-flow", "guardrails")),
    )
    for name in monitored:
        yield Reader(f"monitoring {name.removeprefix('analytics/')}", f"/api/monitoring/{name}?{times}")
    for format_ in ("csv", "json"):
        body = {
            "project_id": place.project,
            "format": format_,
            "date_range": {"start": place.start, "end": place.end},
        }
        yield Reader(f"monitoring export {format_}", "/api/monitoring/export", body=body)


def tools(place: Place) -> Iterator[tuple[str, dict[str, Any]]]:
    """Calls of the MCP server's tools."""
    yield "get_trace", {"trace_id": place.trace}
    yield "get_span", {"span_id": place.span, "trace_id": place.trace}
    yield "get_span", {"span_id": place.span, "max_characters": 40_000}
    yield "search_traces", {"start": place.start, "end": place.end}
    yield "usage_summary", {"start": place.start, "end": place.end}
    yield "guardrail_summary", {"start": place.start, "end": place.end}
