"""Pytest plugin: as many workers as there is work for (`-n auto`).

Each imports the whole portal and copies the databases, some seconds of a processor: one file is run where pytest is.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

MOST = 8  # each needs about 1 GB


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One more than processors: while some wait for stores, processes and browsers, another works."""
    files = set(_files([config.invocation_params.dir / name.partition("::")[0] for name in config.args]))
    wanted = min((os.process_cpu_count() if hasattr(os, "process_cpu_count") else os.cpu_count()) or 2, MOST - 1) + 1
    return min(wanted, len(files)) if len(files) > 1 else 0


def _files(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from path.rglob("test_*.py")
        else:
            yield path
