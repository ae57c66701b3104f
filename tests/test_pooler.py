import json
import os
import pwd
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import psycopg
import pytest
from django.conf import settings
from django.db import connections
from psycopg import sql

from .services import ROOT, free_ports

PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
POOL_SIZE = 4

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PGBOUNCER is None, reason="needs pgbouncer: apt-get install pgbouncer"),
]

WORK = """
import json, threading
import django
django.setup()
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone

now = timezone.now()
Session.objects.bulk_create(Session(session_key=f"k{n:05}", session_data="x", expire_date=now) for n in range(3000))
seen, faults = [], []

def read(number):
    try:
        for _ in range(20):
            found = Session.objects.filter(session_key=f"k{number:05}").values_list("session_key", flat=True)
            with connection.cursor() as cursor:
                cursor.execute("SELECT current_schema()")
                seen.append([*found, *cursor.fetchone()])
    except Exception as error:
        faults.append(repr(error))
    finally:
        connection.close()

threads = [threading.Thread(target=read, args=[n]) for n in range(8)]
[t.start() for t in threads]
[t.join() for t in threads]
print(json.dumps({
    "read": sorted(map(list, set(map(tuple, seen)))),
    "faults": faults,
    "iterated": sum(1 for _ in Session.objects.iterator(chunk_size=100)),
}))
"""


PINNED = """
import django
django.setup()
from django.db import connection
from agentops_portal.postgres import pinned_schema

connection.cursor().execute("CREATE SCHEMA agentops")
with pinned_schema(connection):
    connection.cursor().execute("CREATE TABLE pinned (id int)")
"""


@pytest.fixture
def database() -> Iterator[str]:
    name = f"pooler_{uuid4().hex[:8]}"
    server = {key: settings.DATABASES["default"][key] for key in ("HOST", "PORT", "USER", "PASSWORD")}
    address = {key.lower(): value for key, value in server.items()}
    with psycopg.connect(**address, dbname="postgres", autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        # The usual path begins with "$user", and the tests' role is called like the schema: that would hide a fault.
        connection.execute(sql.SQL("ALTER DATABASE {} SET search_path = public").format(sql.Identifier(name)))
        yield name
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def pooler(database: str, tmp_path: Path) -> Iterator[str]:
    """A real pgbouncer in transaction mode; yields the URL through it."""
    assert PGBOUNCER
    server = settings.DATABASES["default"]
    (port,) = free_ports(1)
    (tmp_path / "users").write_text(f'"{server["USER"]}" "{server["PASSWORD"]}"\n')
    (tmp_path / "pgbouncer.ini").write_text(
        f"""[databases]
{database} = host={server["HOST"]} port={server["PORT"]} dbname={database}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = plain
auth_file = {tmp_path / "users"}
pool_mode = transaction
default_pool_size = {POOL_SIZE}
server_round_robin = 1
"""
    )
    command = [PGBOUNCER, str(tmp_path / "pgbouncer.ini")]
    if os.geteuid() == 0:  # it refuses to run as root
        nobody = pwd.getpwnam("nobody")
        for folder in (*tmp_path.parents[:3], tmp_path):
            folder.chmod(folder.stat().st_mode | 0o005)
        for file in tmp_path.iterdir():
            os.chown(file, nobody.pw_uid, nobody.pw_gid)
        command += ["-u", "nobody"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    url = f"postgresql://{server['USER']}:{quote(server['PASSWORD'])}@127.0.0.1:{port}/{database}"
    try:
        _wait_for(url, process, tmp_path / "log")
        yield url
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 15
    while True:
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        else:
            return


def _run(url: str, *arguments: str, pooler: str = "transaction") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "agentops_portal.settings",
            "DATABASE_URL": url,
            "DATABASE_POOLER": pooler,
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _migrate(url: str) -> None:
    done = _run(url, "manage.py", "migrate", "--database", "default", "--verbosity", "0")
    assert done.returncode == 0, done.stdout + done.stderr


def _open_every_server_connection(url: str) -> None:
    """Fill the pool with server connections that start with PostgreSQL's own search path."""
    opened = [psycopg.connect(url) for _ in range(POOL_SIZE)]
    for connection in opened:
        assert connection.execute("SELECT current_schema()").fetchone() == ("public",)
    for connection in opened:
        connection.commit()
        connection.close()


def _tables(url: str) -> dict[str, int]:
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT table_schema, count(*) FROM information_schema.tables "
            "WHERE table_schema NOT IN ('pg_catalog', 'information_schema') GROUP BY 1"
        )
        return dict(rows.fetchall())


def test_migrate_through_a_pooler_puts_every_table_into_the_schema(pooler: str) -> None:
    _open_every_server_connection(pooler)

    _migrate(pooler)
    _migrate(pooler)

    tables = _tables(pooler)
    assert set(tables) == {settings.POSTGRES_SCHEMA}
    assert tables[settings.POSTGRES_SCHEMA] > 15


def test_threads_and_iterators_work_through_a_pooler_with_the_right_schema(pooler: str) -> None:
    _open_every_server_connection(pooler)
    _migrate(pooler)

    done = _run(pooler, "-c", WORK)

    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["faults"] == []
    assert result["read"] == [[f"k{n:05}", settings.POSTGRES_SCHEMA] for n in range(8)]
    assert result["iterated"] == 3000


def test_a_server_connection_that_kept_the_old_path_still_creates_tables_in_the_schema(pooler: str) -> None:
    _open_every_server_connection(pooler)

    done = _run(pooler, "-c", PINNED)

    assert done.returncode == 0, done.stderr
    assert _tables(pooler) == {settings.POSTGRES_SCHEMA: 1}


def test_the_check_names_the_fault_while_the_pool_still_has_the_old_path(pooler: str) -> None:
    _open_every_server_connection(pooler)

    done = _run(pooler, "manage.py", "check", "--database", "default", "--tag", "database")

    assert done.returncode != 0
    assert "portal.E101" in done.stderr
    assert "manage.py migrate" in done.stderr


def test_the_check_is_silent_once_migrated(pooler: str) -> None:
    _migrate(pooler)

    done = _run(pooler, "manage.py", "check", "--database", "default", "--tag", "database")

    assert done.returncode == 0, done.stderr


def test_without_the_switch_the_pooler_is_refused_rather_than_used_wrongly(pooler: str) -> None:
    done = _run(pooler, "manage.py", "migrate", "--database", "default", pooler="none")

    assert done.returncode != 0
    assert "Set DATABASE_POOLER=transaction." in done.stderr
    assert "Traceback" not in done.stderr
    assert _tables(pooler) == {}


def test_the_suite_itself_runs_in_the_schema() -> None:
    assert connections["default"].settings_dict["OPTIONS"]["options"] == f"-c search_path={settings.POSTGRES_SCHEMA}"
