"""Peers on the same machine with the same bodies: Arize Phoenix and MLflow, each its own server over its SQLite file.

What counts is stored spans: Phoenix acknowledges before it has stored anything, and stores nothing while it works off
a long queue. So a peer gets as much as it can store in a minute, and its rate is stored spans over the seconds until
the last of them was there.
"""

import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from .ingest import MAIN
from .load import Load, run
from .paths import ROOT, WORK, free_ports, scratch_folder
from .report import say, table
from .sampling import sampled

START_SECONDS = 120
INSTALL_SECONDS = 900
REQUESTS, QUICK_REQUESTS = 16, 8
STORE_SECONDS = 90  # from the first request; what is not stored by then does not count
# No peer phones home: their telemetry is off, and a proxy that does not exist stops the rest.
OFFLINE = {
    "PHOENIX_TELEMETRY_ENABLED": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "1",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "NO_PROXY": "127.0.0.1,localhost",
}


@dataclass(frozen=True)
class Peer:
    """How a peer is started; `{port}`, `{other_port}` and `{folder}` are filled in. `database` lies in its folder."""

    name: str
    package: str
    command: tuple[str, ...]
    database: str
    health: str
    environment: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


PEERS = (
    Peer(
        "phoenix",
        package="arize-phoenix",
        command=("phoenix", "serve"),
        database="phoenix.db",
        health="/healthz",
        environment={
            "PHOENIX_WORKING_DIR": "{folder}",
            "PHOENIX_HOST": "127.0.0.1",
            "PHOENIX_PORT": "{port}",
            "PHOENIX_GRPC_PORT": "{other_port}",
        },
    ),
    Peer(
        "mlflow",
        package="mlflow",
        command=(
            *("mlflow", "server", "--host", "127.0.0.1", "--port", "{port}", "--workers", "1"),
            *("--backend-store-uri", "sqlite:///{folder}/mlflow.db", "--default-artifact-root", "{folder}/artifacts"),
        ),
        database="mlflow.db",
        health="/health",
        headers={"x-mlflow-experiment-id": "0"},
    ),
)


def measure(quick: bool) -> dict[str, Any]:
    """Raw results by peer; one that cannot be installed or started has an "error" instead."""
    return {peer.name: _measure(peer, quick) for peer in PEERS}


def _measure(peer: Peer, quick: bool) -> dict[str, Any]:
    requests = QUICK_REQUESTS if quick else REQUESTS
    say(f"peer {peer.name}: {requests} bodies of {MAIN.spans} spans, {MAIN.connections} connections, until stored")
    try:
        binaries = _environment(peer)
        with scratch_folder(peer.name) as folder, _running(peer, binaries, folder) as (port, process):
            return {"version": _version(binaries, peer), **_rate(peer, folder, port, process, requests)}
    except (RuntimeError, subprocess.SubprocessError) as error:
        say(f"peer {peer.name}: {error}")
        return {"error": str(error)[-2000:]}


def _rate(peer: Peer, folder: Path, port: int, process: psutil.Process, requests: int) -> dict[str, Any]:
    database = folder / peer.database
    load = Load(
        port=port,
        service="bench",
        spans=MAIN.spans,
        connections=MAIN.connections,
        seconds=STORE_SECONDS,
        requests=requests,
        headers=dict(peer.headers),
    )
    before = _stored(database)
    started = time.monotonic()
    with sampled(lambda: {peer.name: [process, *process.children(recursive=True)]}) as usage:
        measured = run(load)
        stored = _wait_until_stored(database, before + measured.spans, started + STORE_SECONDS) - before
    took = time.monotonic() - started
    return {
        "load": asdict(measured),
        "acknowledged_spans": measured.spans,
        "stored_spans": stored,
        "seconds_until_stored": round(took, 1),
        "stored_spans_per_second": round(stored / took, 1),
        "usage": asdict(usage),
    }


def _wait_until_stored(database: Path, wanted: int, deadline: float) -> int:
    """The rows of a peer's database, when they are `wanted` or the time is over."""
    while (stored := _stored(database)) < wanted and time.monotonic() < deadline:
        time.sleep(0.1)
    return stored


def _stored(database: Path) -> int:
    """Both peers call their table of spans `spans`."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)) as connection:
        return int(connection.execute("SELECT count(*) FROM spans").fetchone()[0])


@contextmanager
def _running(peer: Peer, binaries: Path, folder: Path) -> Iterator[tuple[int, psutil.Process]]:
    port, other_port = free_ports(2)
    fill = {"port": str(port), "other_port": str(other_port), "folder": str(folder)}
    environment = {name: value.format(**fill) for name, value in peer.environment.items()}
    path = f"{binaries}{os.pathsep}{os.environ.get('PATH', '')}"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(binaries / peer.command[0]), *(part.format(**fill) for part in peer.command[1:])],
            cwd=folder,
            env={**os.environ, **OFFLINE, **environment, "PATH": path, "HOME": str(folder)},
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    try:
        _wait(process, f"http://127.0.0.1:{port}{peer.health}", folder / "log")
        yield port, psutil.Process(process.pid)
    finally:
        _end(process)


def _wait(process: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(address, timeout=2, trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise RuntimeError(f"did not start: {log.read_text(errors='replace')[-1500:]}")


def _end(process: "subprocess.Popen[bytes]") -> None:
    tree = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    for each in tree:
        each.terminate()
    for each in psutil.wait_procs(tree, timeout=10)[1]:
        each.kill()
    process.wait()


def _environment(peer: Peer) -> Path:
    """The folder of programs of the peer's own virtual environment, made at first use. Raises RuntimeError."""
    requirements = ROOT / "benchmarks" / f"requirements-{peer.name}.txt"
    mark = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = WORK / "peers" / f"{peer.name}-{mark}"
    if not (folder / "complete").exists():
        say(f"peer {peer.name}: installing into {folder.relative_to(ROOT)}")
        # Everything is pinned, so there is nothing to resolve.
        pip = (str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        for command in (
            (sys.executable, "-m", "venv", "--clear", str(folder)),
            (*pip, "--no-deps", "--requirement", str(requirements)),
        ):
            done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
            if done.returncode:
                shutil.rmtree(folder, ignore_errors=True)
                raise RuntimeError(f"cannot be installed: {(done.stderr or done.stdout).strip()[-500:]}")
        (folder / "complete").touch()
    return folder / "bin"


def _version(binaries: Path, peer: Peer) -> str:
    code = f"from importlib.metadata import version; print(version('{peer.package}'))"
    return subprocess.check_output([str(binaries / "python"), "-c", code], text=True).strip()


def table_of(raw: dict[str, Any]) -> str:
    """The peers beside the portal's main case of the same run."""
    ours = raw["cases"]["main"]
    rows = [
        {
            "what": "AgentOps Portal",
            "stored spans/s": round(ours["load"]["spans_per_second"]),
            "acknowledged": ours["acknowledged_spans"],
            "stored": ours["stored_rows"],
        }
    ]
    for name, peer in raw["peers"].items():
        if "error" in peer:
            rows.append({"what": f"{name}: {peer['error'][:60]}"})
            continue
        rows.append(
            {
                "what": f"{name} {peer['version']}",
                "stored spans/s": peer["stored_spans_per_second"],
                "acknowledged": peer["acknowledged_spans"],
                "stored": peer["stored_spans"],
                "seconds until stored": peer["seconds_until_stored"],
                "refused": sum(peer["load"]["refused"].values()),
                "CPU s": peer["usage"]["cpu_seconds"].get(name, 0.0),
                "peak MiB": peer["usage"]["peak_rss_mib"].get(name, 0.0),
                "portal / peer": round(ours["load"]["spans_per_second"] / max(peer["stored_spans_per_second"], 0.1)),
            }
        )
    title = f"Peers: bodies of {MAIN.spans} spans from {MAIN.connections} connections, until they are stored"
    return table(title, rows)
