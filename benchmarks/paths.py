"""Where benchmarks work and what they need of the machine."""

import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "var" / "bench"  # environments of the peers, and the data of a run while it lasts
RESULTS = ROOT / "benchmarks" / "results"


def results_folder(quick: bool) -> Path:
    """Where results are kept; those of a quick run are not for comparison and stay out of the repository."""
    return WORK / "results" if quick else RESULTS


@contextmanager
def scratch_folder(name: str) -> Iterator[Path]:
    """A folder on the disk of the checkout, removed at the end."""
    WORK.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=WORK) as folder:
        yield Path(folder)


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nothing listens on just now, all different."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
