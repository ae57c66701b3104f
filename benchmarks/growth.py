"""Growth: what an insert and the pages cost when the store holds 0.1, 1 and 10 million spans."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Any
from urllib.parse import quote

import httpx

from . import ingest
from .filling import DAYS, LONG_TRACE, LONG_TRACE_SPANS, Filling, add_long_trace, fill, some_traces
from .load import percentile
from .portal import Portal, portal
from .report import say, table

SIZES = (100_000, 1_000_000, 10_000_000)
QUICK_SIZES = (20_000, 100_000)
REQUESTS = 30
SETTLE_SECONDS = 120  # for merges after filling, at most


def measure(quick: bool) -> dict[str, Any]:
    """Raw results by size: seconds of filling, bytes on disk, the insert load, latencies of the pages."""
    sizes: list[dict[str, Any]] = []
    with portal("growth") as own:
        held = 0
        for number, size in enumerate(QUICK_SIZES if quick else SIZES):
            say(f"growth: filling up to {size:,} spans")
            started = time.monotonic()
            fill(own, Filling(own.project_id, seed=number, spans=size - held))
            if not number:
                add_long_trace(own, own.project_id)
            held = size
            filled = time.monotonic() - started
            _wait_for_merges(own)
            result = {"spans": size, "filling_seconds": round(filled, 1), **_on_disk(own)}
            result["pages"] = _pages(own)
            result["ingest"] = ingest.measure_case(
                own, ingest.Case(f"growth-{size}", ingest.MAIN.spans, ingest.MAIN.connections), 5 if quick else 10, 1
            )
            sizes.append(result)
    return {"sizes": sizes}


def _on_disk(own: Portal) -> dict[str, Any]:
    [row] = own.sql(
        "SELECT sum(rows) AS rows, sum(bytes_on_disk) AS bytes, count() AS parts FROM system.parts "
        "WHERE active AND table = 'otel_traces' AND database = 'otel_2'"
    )
    return {"rows": row["rows"], "mib_on_disk": round(row["bytes"] / 2**20, 1), "parts": row["parts"]}


def _wait_for_merges(own: Portal) -> None:
    deadline = time.monotonic() + SETTLE_SECONDS
    while own.sql("SELECT count() AS n FROM system.merges")[0]["n"] and time.monotonic() < deadline:
        time.sleep(1)


def _pages(own: Portal) -> dict[str, dict[str, float]]:
    """Latencies in milliseconds of each page, asked for one after the other by a signed-in user."""
    base = f"/projects/{own.project_id}/traces/"
    api = f"/api/v1/projects/{own.project_id}"
    month = f"start={quote((datetime.now(UTC) - timedelta(days=DAYS)).isoformat())}"
    traces = cycle(some_traces(own, own.project_id, REQUESTS))
    addresses: dict[str, Callable[[], str]] = {
        "list, 7 days": lambda: base,
        "list, 30 days": lambda: f"{base}?range=30d",
        "list, 30 days, errors": lambda: f"{base}?range=30d&status=error",
        "usage by model, 30 days": lambda: f"{api}/usage/by?by=model&{month}",
        "usage by day, 30 days": lambda: f"{api}/usage/over-time?step=day&timezone=Asia/Seoul&{month}",
        "guardrails, 30 days": lambda: f"{api}/guardrails/summary?{month}",
        "trace of 10 spans": lambda: f"{base}{next(traces)}/",
        f"trace of {LONG_TRACE_SPANS:,} spans": lambda: f"{base}{LONG_TRACE}/",
    }
    found = {}
    with own.signed_in() as client:
        for name, address in addresses.items():
            client.get(address()).raise_for_status()
            found[name] = _latencies(client, address)
    return found


def _latencies(client: httpx.Client, address: Callable[[], str]) -> dict[str, float]:
    took = []
    for _ in range(REQUESTS):
        started = time.perf_counter()
        answer = client.get(address())
        took.append((time.perf_counter() - started) * 1000)
        assert answer.status_code == 200, f"{answer.status_code} {answer.text[:500]}"
    took.sort()
    return {"p50_ms": round(percentile(took, 0.5), 1), "p95_ms": round(percentile(took, 0.95), 1)}


def tables(raw: dict[str, Any]) -> str:
    return "\n".join(
        [
            table(
                "Growth: the store, and bodies of 511 spans from 8 connections", [_store(each) for each in raw["sizes"]]
            ),
            table(f"Pages through web, {REQUESTS} requests each, milliseconds", list(_latency_rows(raw))),
        ]
    )


def _store(result: dict[str, Any]) -> dict[str, Any]:
    return {
        "spans": result["spans"],
        "filled in s": result["filling_seconds"],
        "MiB on disk": result["mib_on_disk"],
        "parts": result["parts"],
        "insert spans/s": round(result["ingest"]["load"]["spans_per_second"]),
        "ms/insert": result["ingest"]["inserts"]["ms_per_insert"],
        "acknowledged": result["ingest"]["acknowledged_spans"],
        "stored": result["ingest"]["stored_rows"],
        "foreign cores": ingest.foreign_cores(result["ingest"]["usage"], result["ingest"]["load"]["cpu_seconds"]),
        "clickhouse peak MiB": result["ingest"]["usage"]["peak_rss_mib"].get("clickhouse", 0.0),
    }


def _latency_rows(raw: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for page in raw["sizes"][0]["pages"]:
        row: dict[str, Any] = {"page": page}
        for result in raw["sizes"]:
            row[f"p50 at {result['spans']:,}"] = result["pages"][page]["p50_ms"]
            row[f"p95 at {result['spans']:,}"] = result["pages"][page]["p95_ms"]
        first, last = raw["sizes"][0]["pages"][page], raw["sizes"][-1]["pages"][page]
        for figure in ("p50", "p95"):
            row[f"{figure}, last / first"] = round(last[f"{figure}_ms"] / first[f"{figure}_ms"], 2)
        yield row
