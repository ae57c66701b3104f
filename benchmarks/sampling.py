"""CPU seconds and peak memory of a portal's processes while a block runs."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import psutil

INTERVAL = 0.25  # seconds

Trees = Callable[[], dict[str, list[psutil.Process]]]


@dataclass
class Usage:
    """Of each process with its descendants: CPU seconds, and the most resident memory (MiB) at one time.

    `machine_cpu_seconds` is what the whole machine was busy: what is left of it when all that is known is taken off was
    other programs', and says whether the machine was quiet.
    """

    cpu_seconds: dict[str, float] = field(default_factory=dict)
    peak_rss_mib: dict[str, float] = field(default_factory=dict)
    machine_cpu_seconds: float = 0.0
    seconds: float = 0.0


@contextmanager
def sampled(trees: Trees) -> Iterator[Usage]:
    """Fills the Usage it gives by the end of the block."""
    usage = Usage()
    ended = threading.Event()
    before, busy, started = _cpu(trees()), _machine_cpu(), time.monotonic()

    def watch() -> None:
        while True:
            for name, rss in _rss(trees()).items():
                usage.peak_rss_mib[name] = max(usage.peak_rss_mib.get(name, 0.0), round(rss / 2**20, 1))
            if ended.wait(INTERVAL):
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield usage
    finally:
        ended.set()
        watcher.join()
        after = _cpu(trees())
        usage.cpu_seconds = {name: round(cpu - before.get(name, 0.0), 2) for name, cpu in after.items()}
        usage.machine_cpu_seconds = round(_machine_cpu() - busy, 2)
        usage.seconds = round(time.monotonic() - started, 2)


def _machine_cpu() -> float:
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))


def _cpu(trees: dict[str, list[psutil.Process]]) -> dict[str, float]:
    return {name: sum(_seconds(process) for process in tree) for name, tree in trees.items()}


def _seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
        return float(times.user + times.system)
    except psutil.Error:
        return 0.0


def _rss(trees: dict[str, list[psutil.Process]]) -> dict[str, int]:
    return {name: sum(_resident(process) for process in tree) for name, tree in trees.items()}


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


@dataclass
class Inserts:
    """What the receiver made of the requests: inserts into the inbox, and inserts of spans."""

    count: int = 0
    requests_per_insert: float = 0.0
    ms_per_insert: float = 0.0
    decodes: int = 0
    requests_per_decode: float = 0.0
    ms_per_decode: float = 0.0


@contextmanager
def counted_inserts(port: int) -> Iterator[Inserts]:
    """Fills the Inserts it gives by the end of the block, from the receiver's own metrics."""
    inserts = Inserts()
    before = _metrics(port)
    yield inserts
    after = _metrics(port)
    change = {name: after[name] - before.get(name, 0.0) for name in after}
    inserts.count, inserts.requests_per_insert, inserts.ms_per_insert = _inserts(change, "batch_requests", "insert")
    inserts.decodes, inserts.requests_per_decode, inserts.ms_per_decode = _inserts(change, "decoded_requests", "decode")


def _inserts(change: dict[str, float], requests: str, action: str) -> tuple[int, float, float]:
    """(inserts, requests in each, milliseconds of each)"""
    count = change.get(f"otlp_{requests}_count", 0.0)
    if not count:
        return 0, 0.0, 0.0
    return (
        int(count),
        round(change[f"otlp_{requests}_sum"] / count, 2),
        round(change[f"otlp_{action}_seconds_sum"] / count * 1000, 1),
    )


def _metrics(port: int) -> dict[str, float]:
    text = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=10, trust_env=False).text
    pairs = re.findall(
        r"^(otlp_(?:batch_requests|insert_seconds|decoded_requests|decode_seconds)_(?:sum|count)) (\S+)$",
        text,
        re.MULTILINE,
    )
    return {name: float(value) for name, value in pairs}
