"""Ingest: how fast spans are acknowledged, by size of the bodies and number of connections, and what it costs.

Acknowledged means committed, and stored a moment later: after each load the time until the last span was stored is
taken, the rows of the store are counted, and both numbers are in the result.
"""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from . import engine
from .load import Load, run
from .portal import Portal, portal
from .report import say, table
from .sampling import counted_inserts, sampled


@dataclass(frozen=True)
class Case:
    """One load; `pause` (seconds) makes it a trickle instead of a flood."""

    name: str
    spans: int
    connections: int
    pause: float = 0.0


MAIN = Case("main", spans=511, connections=8)
SMALL = Case("small", spans=7, connections=64)
LONE = Case("lone", spans=7, connections=1, pause=0.2)
MATRIX = tuple(
    Case(f"{spans}x{connections}", spans, connections) for spans in (7, 64, 511, 2048) for connections in (1, 8, 64)
)


def measure(quick: bool) -> dict[str, Any]:
    """Raw results of all cases: the load's figures, stored rows, inserts, CPU and memory; and the engine's own rate."""
    seconds, warm_up = (4.0, 1.0) if quick else (15.0, 3.0)
    cases: Sequence[Case] = (MAIN, SMALL, LONE) if quick else (MAIN, SMALL, LONE, *MATRIX)
    with portal("ingest") as own:
        results = {case.name: measure_case(own, case, seconds, warm_up) for case in cases}
    for name in ("main", "small"):
        results[name]["engine"] = _engine_rate(results[name], seconds)
    return {"cases": results}


def measure_case(own: Portal, case: Case, seconds: float, warm_up: float) -> dict[str, Any]:
    say(f"ingest {case.name}: bodies of {case.spans} spans, {case.connections} connections, {seconds:.0f} s")
    service = f"bench-{case.name}"
    load = Load(
        port=own.receiver_port,
        service=service,
        spans=case.spans,
        connections=case.connections,
        seconds=seconds,
        warm_up=warm_up,
        pause=case.pause,
        headers=own.headers,
    )
    started = time.monotonic()
    with sampled(own.trees) as usage, counted_inserts(own.receiver_port) as inserts:
        measured = run(load)
        drain = own.wait_until_decoded()
    took = time.monotonic() - started
    rows, spans = own.stored(service)
    return {
        "case": asdict(case),
        "load": asdict(measured),
        "acknowledged_spans": measured.spans,
        "stored_rows": rows,
        "stored_spans": spans,
        "drain_seconds": round(drain, 2),
        "stored_per_second": round(rows / took),  # from the start of the load generator until the last was stored
        "acknowledged_is_stored": measured.spans == rows == spans,
        "inserts": asdict(inserts),
        "usage": asdict(usage),
    }


def _engine_rate(result: dict[str, Any], seconds: float) -> dict[str, Any]:
    """The engine's own rate for batches of as many requests as the receiver joined, and the receiver's share of it."""
    requests = max(round(result["inserts"]["requests_per_decode"]), 1)
    say(f"engine alone: batches of {requests} bodies of {result['case']['spans']} spans")
    rate = engine.measure(result["case"]["spans"], requests, seconds)
    share = result["load"]["spans_per_second"] / rate.spans_per_second if rate.spans_per_second else 0.0
    return {**asdict(rate), "requests": requests, "receiver_share": round(share, 3)}


def tables(raw: dict[str, Any]) -> str:
    cases = raw["cases"].values()
    engines = [case for case in cases if "engine" in case]
    return "\n".join(
        [
            table(
                "Ingest: requests are acknowledged when ClickHouse has them; their spans are stored soon after",
                [_rate(c) for c in cases],
            ),
            table("Cost: CPU seconds of warm-up and measurement, peak resident memory", [_cost(c) for c in cases]),
            table("The engine's own rate on the receiver's batches, inserted one after the other", map_engine(engines)),
        ]
    )


def _rate(result: dict[str, Any]) -> dict[str, Any]:
    case, load = result["case"], result["load"]
    return {
        "case": case["name"],
        "spans/body": case["spans"],
        "connections": case["connections"],
        "spans/s": round(load["spans_per_second"]),
        "requests/s": load["requests_per_second"],
        "p50 ms": load["p50_ms"],
        "p95 ms": load["p95_ms"],
        "p99 ms": load["p99_ms"],
        "requests/insert": result["inserts"]["requests_per_insert"],
        "ms/insert": result["inserts"]["ms_per_insert"],
        "requests/decode": result["inserts"]["requests_per_decode"],
        "ms/decode": result["inserts"]["ms_per_decode"],
        "all stored after s": result["drain_seconds"],
        "acknowledged": result["acknowledged_spans"],
        "stored": result["stored_rows"],
        "equal": result["acknowledged_is_stored"],
        "foreign cores": foreign_cores(result["usage"], result["load"]["cpu_seconds"]),
        "refused": sum(load["refused"].values()),
    }


def foreign_cores(usage: dict[str, Any], load_cpu: float) -> float:
    """Cores that programs other than the portal and the load generator had: above 0.2 the machine was not quiet."""
    foreign = usage["machine_cpu_seconds"] - sum(usage["cpu_seconds"].values()) - load_cpu
    return round(max(foreign / max(usage["seconds"], 0.001), 0.0), 2)


def _cost(result: dict[str, Any]) -> dict[str, Any]:
    usage = result["usage"]
    cpu, memory = usage["cpu_seconds"], usage["peak_rss_mib"]
    return {
        "case": result["case"]["name"],
        "otlp CPU s": cpu.get("otlp", 0.0),
        "clickhouse CPU s": cpu.get("clickhouse", 0.0),
        "others CPU s": round(sum(value for name, value in cpu.items() if name not in ("otlp", "clickhouse")), 2),
        "load generator CPU s": result["load"]["cpu_seconds"],
        "otlp CPU ms/request": 1000 * cpu.get("otlp", 0.0) / max(result["load"]["requests"], 1),
        "otlp MiB": memory.get("otlp", 0.0),
        "clickhouse MiB": memory.get("clickhouse", 0.0),
        "all MiB": round(sum(memory.values()), 1),
    }


def map_engine(results: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "case": result["case"]["name"],
            "requests/decode": result["engine"]["requests"],
            "engine spans/s": round(result["engine"]["spans_per_second"]),
            "ms/decode": result["engine"]["ms_per_insert"],
            "CPU ms/decode": result["engine"]["cpu_ms_per_insert"],
            "MiB": result["engine"]["peak_rss_mib"],
            "receiver spans/s": round(result["load"]["spans_per_second"]),
            "receiver / engine": result["engine"]["receiver_share"],
        }
        for result in results
    ]
