"""Databases that hold every table already, kept from one run to the next: each worker copies them and need not migrate.

They are made anew when a migration, the schema, a version in requirements.txt or what starts the stores has changed.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / ".pytest_cache" / "stores"
NAME = "portal_template"  # of the database in either store
MOST = 3  # of them are kept
USED = "PORTAL_TESTS_TEMPLATE"  # tells workers that it is there
SOURCES = ("*/migrations/*.py", "traces/store/**/*.py", "agentops_portal/embedded/**/*.py", "requirements.txt")


def fetch(var: Path) -> bool:
    """Put the kept stores into a run's folder; False when there are none that fit."""
    kept = KEPT / _digest()
    if not kept.is_dir():
        return False
    try:
        _copy(kept, var)
    except (OSError, shutil.Error):  # another run makes room, or the disk is full
        shutil.rmtree(var, ignore_errors=True)
        return False
    return True


def make(postgres: str, clickhouse: str) -> None:
    """Create both databases in servers that have just been started; their addresses end before the name."""
    with psycopg.connect(f"{postgres}/postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {NAME}")
    addresses = {"DATABASE_URL": f"{postgres}/{NAME}", "CLICKHOUSE_URL": f"{clickhouse}/{NAME}"}
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(command, cwd=ROOT, env=os.environ | addresses, check=True)


def keep(var: Path) -> None:
    """Keep a folder whose servers have stopped, and those of the last few branches that one has worked on."""
    draft = KEPT / f"draft-{uuid4().hex}"
    _copy(var, draft)
    try:
        draft.rename(KEPT / _digest())
    except OSError:  # another run was quicker
        shutil.rmtree(draft)
    for old in sorted(KEPT.iterdir(), key=lambda path: path.stat().st_mtime)[:-MOST]:
        shutil.rmtree(old, ignore_errors=True)


def _copy(source: Path, target: Path) -> None:
    """With the owners: started by root, PostgreSQL runs as somebody else."""
    shutil.copytree(source, target, symlinks=True)  # ClickHouse's, which are relative
    if os.geteuid() == 0:
        for path in (source, *source.rglob("*")):
            owner = path.lstat()
            os.chown(target / path.relative_to(source), owner.st_uid, owner.st_gid, follow_symlinks=False)


def _digest() -> str:
    found = hashlib.sha256(sys.version.encode())
    for path in sorted(_sources()):
        found.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return found.hexdigest()[:32]


def _sources() -> Iterator[Path]:
    yield Path(__file__).resolve()
    for pattern in SOURCES:
        yield from ROOT.glob(pattern)
