import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from agentops_portal.embedded import postgres

from .services import ROOT, free_ports

PASSWORD = "it's a secret"


class Server:
    """The embedded PostgreSQL on a folder and port of its own."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.port = free_ports(1)[0]
        self.password_file = data.parent / "password"
        self.password_file.write_text(PASSWORD)
        self.options = ["--throwaway"]
        self.environment: dict[str, str] = {}
        self.process: subprocess.Popen[str] | None = None

    def spawn(self) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "agentops_portal.embedded.postgres", "--data", str(self.data)]
        command += ["--port", str(self.port), "--password-file", str(self.password_file), *self.options]
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return self.process

    def start(self) -> "Server":
        process = self.spawn()
        deadline = time.monotonic() + 20
        while True:
            try:
                self.connect().close()
            except psycopg.OperationalError:
                assert process.poll() is None, process.communicate()[0]
                assert time.monotonic() < deadline
                time.sleep(0.05)
            else:
                return self

    def connect(self, user: str = "agentops", password: str = PASSWORD) -> "psycopg.Connection[tuple[object, ...]]":
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user=user, password=password, dbname="agentops", autocommit=True
        )

    def refusal(self) -> str:
        output, _ = self.spawn().communicate(timeout=20)
        assert self.process
        assert self.process.returncode != 0
        return output

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.communicate(timeout=10)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Callable[[], Server]]:
    made: list[Server] = []

    def make() -> Server:
        made.append(Server(tmp_path / "var" / "postgres"))
        return made[-1]

    (tmp_path / "var").mkdir()
    yield make
    for each in made:
        each.end()


def test_the_portals_role_owns_its_database_and_is_no_superuser(server: Callable[[], Server]) -> None:
    with server().start().connect() as client:
        found = client.execute(
            "SELECT rolsuper, rolcreatedb, pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datlocprovider"
            " FROM pg_roles, pg_database WHERE rolname = current_user AND datname = current_database()"
        ).fetchone()
    assert found == (False, True, "agentops", "UTF8", "b")


def test_a_wrong_password_and_the_superuser_are_refused(server: Callable[[], Server]) -> None:
    running = server().start()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        running.connect(password="wrong")
    with pytest.raises(psycopg.OperationalError, match=r"no pg_hba\.conf entry"):
        running.connect(user="postgres")


def test_a_password_that_was_lost_and_made_anew_is_taken_over(server: Callable[[], Server]) -> None:
    running = server().start()
    running.end()
    running.password_file.write_text("another")
    running.spawn()
    deadline = time.monotonic() + 20
    while True:
        try:
            running.connect(password="another").close()
            break
        except psycopg.OperationalError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        running.connect()


def test_it_listens_on_this_machine_only(server: Callable[[], Server]) -> None:
    running = server().start()
    assert running.process
    listening = {each.laddr.ip for each in psutil.Process(running.process.pid).net_connections() if each.raddr == ()}
    assert listening == {"127.0.0.1"}


def test_acknowledged_data_survives_kill_9(server: Callable[[], Server]) -> None:
    running = server()
    running.options = []  # waits for the disk, as the portal does
    running.start()
    with running.connect() as client:
        client.execute("CREATE TABLE kept AS SELECT 1 AS one")
    assert running.process
    running.process.kill()
    running.process.communicate()
    assert (running.data / "postmaster.pid").exists()
    with running.start().connect() as client:
        assert client.execute("SELECT one FROM kept").fetchone() == (1,)


def test_a_lock_that_names_a_process_of_another_program_is_no_obstacle(server: Callable[[], Server]) -> None:
    running = server().start()
    running.end()
    (running.data / "postmaster.pid").write_text(f"{os.getpid()}\n{running.data}\n")
    running.start()


def test_it_stops_within_two_seconds_although_a_client_stays_connected(server: Callable[[], Server]) -> None:
    running = server().start()
    assert running.process
    with running.connect():
        started = time.monotonic()
        running.process.send_signal(signal.SIGINT)
        output, _ = running.process.communicate(timeout=10)
    assert time.monotonic() - started < 2
    assert running.process.returncode == 0
    assert "database system is shut down" in output


def test_a_second_server_on_the_folder_is_refused_with_the_first_ones_process(server: Callable[[], Server]) -> None:
    running = server().start()
    assert running.process
    refusal = server().refusal()
    assert f"PostgreSQL already runs on {running.data} (process {running.process.pid})" in refusal


def test_a_folder_of_another_major_version_is_refused_and_left_alone(server: Callable[[], Server]) -> None:
    newer = server()
    newer.data.mkdir()
    (newer.data / "PG_VERSION").write_text("19\n")
    refusal = newer.refusal()
    assert refusal.strip() == (
        f"PostgreSQL: {newer.data} was written by PostgreSQL 19, this portal brings 18: start it with the portal "
        "version that wrote it, or move the folder away."
    )
    assert [file.name for file in newer.data.iterdir()] == ["PG_VERSION"]


def test_a_folder_with_foreign_files_is_refused_and_left_alone(server: Callable[[], Server]) -> None:
    foreign = server()
    foreign.data.mkdir()
    (foreign.data / "thesis.txt").write_text("ten years")
    assert "holds files but no PostgreSQL data" in foreign.refusal()
    assert (foreign.data / "thesis.txt").read_text() == "ten years"


def test_an_interrupted_first_start_is_begun_anew(server: Callable[[], Server]) -> None:
    interrupted = server()
    draft = interrupted.data.with_name("postgres.new")
    draft.mkdir()
    (draft / "PG_VERSION").write_text("18\n")
    interrupted.start()
    assert not draft.exists()


def test_a_missing_program_is_named() -> None:
    assert postgres.binary("postgres").is_file()
    assert postgres.binary("initdb").is_file()
