"""Who the embedded PostgreSQL runs as, and folders that another user owns, closed or left."""

import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from agentops_portal import environment, permissions
from agentops_portal.embedded import ownership, postgres

from .services import ROOT
from .test_embedded_postgres import Server

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives up being root")

NAMELESS = 23456  # a user that no machine knows
KEEP = "CREATE TABLE kept AS SELECT 1 AS one"


@pytest.fixture
def var(tmp_path: Path) -> Path:
    folder = tmp_path / "var"
    folder.mkdir()
    return folder


@pytest.fixture
def server(var: Path) -> Iterator[Server]:
    made = Server(var / "postgres")
    yield made
    made.end()


def runs_as(server: Server) -> psutil.Process:
    assert server.process
    return psutil.Process(server.process.pid)


def kept(server: Server) -> object:
    with server.connect() as client:
        return client.execute("SELECT one FROM kept").fetchone()


def open_to_others(path: Path) -> bool:
    """Whether every folder above `path` may be entered by everybody."""
    return all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents)


def open_up(folder: Path) -> None:
    """Let everybody enter one of pytest's folders, however deep it lies: workers of xdist have theirs one deeper."""
    top = Path(tempfile.gettempdir())
    for each in (folder, *folder.parents):
        if each.is_relative_to(top) and each != top:
            each.chmod(0o755)


def as_nobody(action: Callable[[], object], uid: int | None = None) -> str:
    """What the action returns, or raises, in a process that gave up root for good; `uid` is another user's."""
    nobody = pwd.getpwnam("nobody")
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(nobody.pw_gid)
            os.setuid(uid or nobody.pw_uid)
            text = str(action())
        except BaseException as error:
            text = f"{type(error).__name__}: {error}"
        os.write(write, text.encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return text


@as_root
def test_started_by_root_it_runs_as_another_user_even_below_a_folder_that_is_roots_alone(
    server: Server, tmp_path: Path
) -> None:
    tmp_path.chmod(0o700)
    process = runs_as(server.start())
    assert process.uids().effective != 0
    assert server.data.stat().st_uid == process.uids().effective
    assert tmp_path.stat().st_mode & 0o777 == 0o700


@as_root
@pytest.mark.parametrize("modes", ["folder above closed", "umask 077"])
def test_its_programs_may_lie_where_only_root_may_look(server: Server, tmp_path: Path, modes: str) -> None:
    """A checkout in /root, whose mode is 700; one that was made under umask 077."""
    installed = postgres.binary("postgres").parents[2]
    packages = tmp_path / "closed 닫힌 폴더" / "packages"
    skipped = shutil.ignore_patterns("include", "pginstall", "__pycache__")
    for folder in (installed, installed.with_name(f"{installed.name}.libs")):
        shutil.copytree(folder, packages / folder.name, ignore=skipped, symlinks=True)
    if modes == "umask 077":
        for path in [packages.parent, *packages.parent.rglob("*")]:
            if not path.is_symlink():
                path.chmod(path.stat().st_mode & 0o700)
    else:
        packages.parent.chmod(0o700)
    server.environment = {"PYTHONPATH": str(packages)}
    with server.start().connect() as client:
        client.execute(KEEP)
    process = runs_as(server)
    assert process.exe().startswith(str(packages))
    assert process.uids().effective != 0
    status = Path(f"/proc/{process.pid}/status").read_text()
    [capabilities] = [line.split()[1] for line in status.splitlines() if line.startswith("CapPrm")]
    assert int(capabilities, 16) == 1 << 1  # CAP_DAC_OVERRIDE and no other
    server.end()
    assert kept(server.start()) == (1,)


@as_root
@pytest.mark.skipif(not open_to_others(postgres.binary("postgres")), reason="its programs lie in a closed folder")
def test_it_keeps_no_capability_where_nothing_is_closed(server: Server, tmp_path: Path) -> None:
    open_up(tmp_path)
    process = runs_as(server.start())
    assert "CapPrm:\t0000000000000000" in Path(f"/proc/{process.pid}/status").read_text()


@as_root
def test_a_user_without_a_name_is_told_what_postgresql_needs(var: Path, tmp_path: Path) -> None:
    """`docker run --user 23456`"""
    open_up(tmp_path)
    os.chown(var, NAMELESS, NAMELESS)
    text = as_nobody(lambda: postgres.prepare(var / "postgres", "secret"), NAMELESS)
    assert text == (
        f"AccessProblem: User {NAMELESS} has no name on this machine, and PostgreSQL needs one: add a line to "
        "/etc/passwd, start the portal as another user, or set DATABASE_URL."
    )


@as_root
@pytest.mark.parametrize("left", ["copied", "mixed", "closed", "from another machine"])
def test_a_folder_that_root_copied_or_restored_is_given_back(server: Server, tmp_path: Path, left: str) -> None:
    with server.start().connect() as client:
        client.execute(KEEP)
    owner = runs_as(server).uids().effective
    server.end()
    copy = server.data.with_name("copy")
    shutil.copytree(server.data, copy)  # as `cp -r` does: it is root's, and open
    shutil.rmtree(server.data)
    copy.rename(server.data)
    server.data.chmod(0o755)
    if left == "mixed":
        os.chown(server.data, owner, -1)
    elif left == "from another machine":
        for path in [server.data, *server.data.rglob("*")]:
            os.chown(path, NAMELESS, NAMELESS)
    elif left == "closed":
        for path in server.data.rglob("*"):
            path.chmod(0)
    assert kept(server.start()) == (1,)
    assert runs_as(server).uids().effective == owner
    assert stat.S_IMODE(server.data.stat().st_mode) == 0o700
    assert {path.lstat().st_uid for path in [server.data, *server.data.rglob("*")]} == {owner}


@as_root
def test_a_second_name_of_a_file_keeps_its_owner(server: Server, tmp_path: Path) -> None:
    """`cp -al` of a backup: giving its files away would give the backup away, or whatever else has that name."""
    server.start().end()
    backup = tmp_path / "backup"
    file = server.data / "PG_VERSION"
    os.chown(file, 0, 0)
    os.link(file, backup)
    refusal = server.refusal()
    assert f"{file} has another name (a hard link): copy the backup with `cp -a` and start again." in refusal
    assert backup.stat().st_uid == 0


@as_root
def test_a_folder_of_another_user_is_refused_with_owner_and_cure(var: Path, tmp_path: Path) -> None:
    open_up(tmp_path)
    data = var / "postgres"
    data.mkdir(mode=0o700)
    (data / "PG_VERSION").write_text("18\n")
    text = as_nobody(lambda: postgres.prepare(data, "secret"))
    assert text == (
        f"AccessProblem: {data} cannot be used: {data} belongs to user root (mode 700) and the portal runs as nobody: "
        f"run `sudo chown -R nobody {var}`, or start it as root, or set PORTAL_VAR to another folder."
    )


@as_root
def test_what_another_user_left_in_the_portals_folder_is_found(var: Path, tmp_path: Path) -> None:
    open_up(tmp_path)
    nobody = pwd.getpwnam("nobody").pw_uid
    parts = var / "clickhouse" / "data" / "a part"
    parts.mkdir(parents=True)
    (var / "mine").mkdir(mode=0o700)  # a person's own
    for path in [var, *var.rglob("*")]:
        os.chown(path, nobody, -1)
    assert as_nobody(lambda: permissions.left_by_another_user(var)) == "None"
    (parts / "count.txt").touch(mode=0o640)
    assert as_nobody(lambda: permissions.left_by_another_user(var)) == str(parts / "count.txt")
    assert permissions.left_by_another_user(var) is None  # root may use it


@as_root
@pytest.mark.parametrize(
    ("closed", "mode", "cure"),
    [
        ("above", 0o700, "set PORTAL_VAR to a folder this user can write."),
        ("above/var/clickhouse", 0o755, "run `sudo chown -R nobody"),
        ("above/var/clickhouse", 0o700, "run `sudo chown -R nobody"),
    ],
)
def test_a_refusal_names_the_outermost_obstacle(tmp_path: Path, closed: str, mode: int, cure: str) -> None:
    open_up(tmp_path)
    var = tmp_path / "above" / "var"
    (var / "clickhouse").mkdir(parents=True)
    (tmp_path / closed).chmod(mode)
    text = as_nobody(lambda: permissions.refusal(var / "clickhouse" / "lock", PermissionError(13, "no"), var))
    assert f"{tmp_path / closed} belongs to user root (mode {mode:o}) and the portal runs as nobody: {cure}" in text


@as_root
def test_settings_that_cannot_be_read_are_not_left_out(tmp_path: Path) -> None:
    """`sudo make up` may have made the file: without a word, none of its settings would count."""
    open_up(tmp_path)
    file = tmp_path / ".env"
    file.write_text("SECRET_KEY=x\n")
    file.chmod(0o600)
    assert as_nobody(lambda: environment.load_dotenv(file)) == (
        f"ImproperlyConfigured: {file} cannot be used: {file} belongs to user root (mode 600) and the portal runs as "
        f"nobody: run `sudo chown -R nobody {file}`, or start it as root."
    )


def test_other_faults_are_told_as_they_are(var: Path) -> None:
    text = permissions.refusal(var / "x", OSError(30, "Read-only file system"), var)
    assert text == (
        f"{var / 'x'} cannot be written (Read-only file system): set PORTAL_VAR to a folder this user can write."
    )


@as_root
def test_a_root_that_may_not_become_another_user_says_so(var: Path) -> None:
    code = (
        "import sys; from agentops_portal.embedded import ownership;"
        "from pathlib import Path; ownership.needs_capability(65534, 65534, [Path('/')])"
    )
    command = ["setpriv", "--bounding-set=-setuid,-setgid", "--inh-caps=-setuid,-setgid", sys.executable, "-c", code]
    if shutil.which("setpriv") is None:
        pytest.skip("needs setpriv of util-linux")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr.strip().endswith(
        "AccessProblem: PostgreSQL does not run as root, and this root may not become user nobody, as in a container "
        "without capabilities: start the portal as another user, or set DATABASE_URL."
    )


@as_root
def test_a_root_without_the_right_to_pass_closed_folders_names_the_folder(tmp_path: Path) -> None:
    if shutil.which("setpriv") is None:
        pytest.skip("needs setpriv of util-linux")
    open_up(tmp_path)
    closed = tmp_path / "a folder"
    (closed / "below").mkdir(parents=True)
    closed.chmod(0o700)
    code = (
        "import sys; from agentops_portal.embedded import ownership; from pathlib import Path;"
        f"ownership.needs_capability(65534, 65534, [Path({str(closed / 'below')!r})])"
    )
    command = ["setpriv", "--bounding-set=-dac_override", sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (
        f"user nobody may not enter {closed} (mode 700): run `chmod o+rx '{closed}'`, move the portal to another "
        "folder such as /opt, or start it as another user."
    ) in done.stderr


def test_the_server_is_who_started_it_or_somebody_in_roots_place(var: Path) -> None:
    uid, _ = ownership.server_user(var)
    assert uid == os.geteuid() or (os.geteuid() == 0 and permissions.user_name(uid) in ownership.SUBSTITUTES)
