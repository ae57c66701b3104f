"""The engine's own rate: the receiver's batches inserted straight into the embedded engine, with nothing in between.

`python -m benchmarks.engine` is the process that owns the engine: it reads an EngineLoad as JSON from standard input
and prints an EngineRate as JSON. Tables, settings and the way in (INSERT … FROM INFILE of a file in memory) are
those of the portal's ClickHouse process.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from .bodies import Bodies
from .paths import ROOT, scratch_folder

DIFFERENT_BATCHES = 8
MEMORY = 2 << 30  # bytes, the default of the portal's ClickHouse process


@dataclass(frozen=True)
class EngineLoad:
    """Batches of `requests` bodies of `spans` spans, inserted one after the other for `seconds`."""

    folder: str
    spans: int
    requests: int
    seconds: float


@dataclass(frozen=True)
class EngineRate:
    inserts: int
    spans_per_second: float
    ms_per_insert: float
    cpu_ms_per_insert: float
    stored_is_inserted: bool
    peak_rss_mib: float


def measure(spans: int, requests: int, seconds: float) -> EngineRate:
    """The rate of a fresh store in a process of its own."""
    with scratch_folder("engine") as folder:
        load = EngineLoad(str(folder), spans, max(requests, 1), seconds)
        own = {"DJANGO_SETTINGS_MODULE": "agentops_portal.settings", "PORTAL_VAR": str(folder / "var")}
        own["PORTAL_DOTENV"] = str(folder / ".env")
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.engine"],
            input=json.dumps(asdict(load)),
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=os.environ | own,
            check=True,
        )
        return EngineRate(**json.loads(done.stdout))


def _measure(load: EngineLoad) -> EngineRate:
    from agentops_portal.embedded.clickhouse import configuration
    from agentops_portal.embedded.clickhouse.engine import Engine

    folder = Path(load.folder)
    (folder / "data").mkdir()
    os.environ["TZ"] = "UTC"
    os.chdir(folder)  # the engine leaves files where it is
    configuration.write(folder / "engine.xml", MEMORY, folder / "backups")
    engine = Engine(folder / "data", folder / "engine.xml")
    _make_tables(engine)
    with _batches(load) as files:
        for file in files[:2]:  # first ones open files and fill caches
            _insert(engine, file)
        cpu, started, inserts = time.process_time(), time.perf_counter(), 0
        while time.perf_counter() - started < load.seconds:
            _insert(engine, files[inserts % len(files)])
            inserts += 1
        took, cpu = time.perf_counter() - started, time.process_time() - cpu
        warm_up = len(files[:2])
    spans = load.spans * load.requests
    stored = _stored(engine)
    return EngineRate(
        inserts=inserts,
        spans_per_second=round(inserts * spans / took, 1),
        ms_per_insert=round(took / inserts * 1000, 1),
        cpu_ms_per_insert=round(cpu / inserts * 1000, 1),
        stored_is_inserted=stored == (inserts + warm_up) * spans,
        peak_rss_mib=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    )


def _make_tables(engine: Any) -> None:
    from traces.store.schema import tables

    connection = engine.connect()
    connection.query("CREATE DATABASE otel_2", "Null")
    connection.query("USE otel_2", "Null")
    for statement in tables.create_statements():
        connection.query(statement, "Null")
    connection.close()


@contextmanager
def _batches(load: EngineLoad) -> Iterator[list[int]]:
    """File descriptors of batches as the receiver sends them."""
    from traces.ingest.inbox.envelope import envelopes

    bodies, project = Bodies(load.spans, "engine"), uuid4()
    files: list[int] = []
    for _ in range(DIFFERENT_BATCHES):
        file = os.memfd_create("batch")
        for _ in range(load.requests):
            data = memoryview(envelopes(bodies.make().data, project, os.urandom(16)))
            while data:
                data = data[os.write(file, data) :]
        files.append(file)
    try:
        yield files
    finally:
        for file in files:
            os.close(file)


def _insert(engine: Any, file: int) -> None:
    """One insert on a connection of its own, as the ClickHouse process does it."""
    from traces.ingest.inbox.spans import insert_settings
    from traces.store.schema.tables import MESSAGES

    connection = engine.connect()
    try:
        connection.query("USE otel_2", "Null")
        changes = ", ".join(f"{name} = {_literal(value)}" for name, value in insert_settings().items())
        connection.query(f"SET {changes}", "Null")
        connection.query(f"INSERT INTO {MESSAGES} FROM INFILE '/dev/fd/{file}' FORMAT Protobuf", "Null")
    finally:
        connection.close()


def _literal(value: str | int) -> str:
    return "'" + str(value).replace("\\", "\\\\").replace("'", "\\'") + "'"


def _stored(engine: Any) -> int:
    connection = engine.connect()
    try:
        return int(connection.query("SELECT count() FROM otel_2.otel_traces", "TSVRaw").bytes())
    finally:
        connection.close()


def main() -> None:
    import django

    django.setup()
    print(json.dumps(asdict(_measure(EngineLoad(**json.load(sys.stdin))))), flush=True)
    os._exit(0)  # the engine's threads are not joined


if __name__ == "__main__":
    main()
