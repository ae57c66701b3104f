"""Which user PostgreSQL runs as, and that it owns its data and reaches what it needs.

PostgreSQL refuses to run as root, to use a folder that another user owns, and one that others may open. A folder that
was copied, or restored from a backup, by root is all of that.
"""

import os
import pwd
import shlex
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from agentops_portal.permissions import refusal, user_name

from .privileges import become

# Who may stand in for root, in this order.
SUBSTITUTES = ("postgres", "nobody")

_REACHED, _CLOSED, _NOT_CHANGED = 0, 1, 2  # what the process that tries it says by its exit code


class AccessProblem(Exception):
    """What a user may not reach or own, in one sentence with the way out."""


def server_user(data: Path) -> tuple[int, int]:
    """User and group id that the server runs with: this process's, or, started by root, the data folder's owner.

    An owner without a name, as in a folder restored from another machine, does not count: PostgreSQL asks for it.
    Raises AccessProblem when root has nobody to stand in for it.
    """
    if os.geteuid() != 0:
        return os.geteuid(), os.getegid()
    status = data.stat()
    if status.st_uid != 0 and has_name(status.st_uid):
        return status.st_uid, status.st_gid
    for name in SUBSTITUTES:
        with suppress(KeyError):
            user = pwd.getpwnam(name)
            return user.pw_uid, user.pw_gid
    raise AccessProblem("PostgreSQL does not run as root and this machine has no user `nobody`: start as another user.")


def has_name(uid: int) -> bool:
    """Whether this machine knows the user; `docker run --user 23456` makes one that it does not."""
    try:
        return bool(pwd.getpwuid(uid))
    except KeyError:
        return False


def take_over(folder: Path, uid: int, gid: int) -> int:
    """Make the user the owner of `folder` and of all in it, and close it to others; how many entries were changed.

    Raises AccessProblem when that is not in this process's power.
    """
    changed = 0
    for path, status in _tree(folder):
        is_folder = stat.S_ISDIR(status.st_mode)
        wanted = status.st_mode | (0o700 if is_folder else 0o600)
        if path == folder:
            wanted &= ~0o077
        if status.st_uid == uid and status.st_mode == wanted:
            continue
        if not is_folder and status.st_nlink > 1:
            # Its other name may be the backup's, or that of a file which is not the portal's.
            raise AccessProblem(f"{path} has another name (a hard link): copy the backup with `cp -a` and start again.")
        try:
            if status.st_uid != uid:
                os.chown(path, uid, gid, follow_symlinks=False)
            if not stat.S_ISLNK(status.st_mode):
                path.chmod(stat.S_IMODE(wanted))
        except OSError as error:
            raise AccessProblem(_not_taken(path, status.st_uid, uid, folder, error)) from error
        changed += 1
    _confirm(folder, uid)
    return changed


def needs_capability(uid: int, gid: int, paths: Iterable[Path]) -> bool:
    """Whether the user reaches all `paths` only with root's right to pass closed folders (see `privileges.become`).

    Raises AccessProblem when it does not reach them with it either: this root may not be a whole one.
    """
    wanted = list(paths)
    outcome = _try_as(uid, gid, wanted, keep_access=False)
    if outcome == _REACHED:
        return False
    if outcome == _CLOSED and sys.platform == "linux" and _try_as(uid, gid, wanted, keep_access=True) == _REACHED:
        return True
    if outcome == _NOT_CHANGED:
        raise AccessProblem(
            f"PostgreSQL does not run as root, and this root may not become user {user_name(uid)}, as in a container "
            "without capabilities: start the portal as another user, or set DATABASE_URL."
        )
    closed = next(filter(None, map(_closed_part, wanted)), wanted[0])
    raise AccessProblem(
        f"PostgreSQL does not run as root, and user {user_name(uid)} may not enter {closed} "
        f"(mode {stat.S_IMODE(closed.stat().st_mode):o}): run `chmod o+rx {shlex.quote(str(closed))}`, move the portal "
        "to another folder such as /opt, or start it as another user."
    )


def _tree(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """The folder first, then all below it; what cannot be listed is a fault of its owner or mode, mended by then."""
    yield folder, folder.lstat()
    for name in os.listdir(folder):
        path = folder / name
        status = path.lstat()
        if stat.S_ISDIR(status.st_mode):
            yield from _tree(path)
        else:
            yield path, status


def _not_taken(path: Path, owner: int, uid: int, folder: Path, error: OSError) -> str:
    if os.geteuid() != 0 and owner != uid:
        return refusal(path, PermissionError(), folder.parent)
    return (
        f"{path} cannot be given to user {user_name(uid)} ({error.strerror}): set PORTAL_VAR to a folder on a disk of "
        "this machine that keeps owners and modes."
    )


def _confirm(folder: Path, uid: int) -> None:
    """Some file systems (vfat, shares of another machine) take a change of owner or mode and do nothing."""
    status = folder.stat()
    if status.st_uid != uid or status.st_mode & 0o077:
        raise AccessProblem(
            f"The disk of {folder} keeps no owners and modes, which PostgreSQL needs: set PORTAL_VAR to a folder on "
            "another disk."
        )


def _try_as(uid: int, gid: int, paths: list[Path], keep_access: bool) -> int:
    """Become the user in a process of its own and look there, as only that tells what ACLs and containers allow."""
    child = os.fork()
    if child == 0:
        outcome = _NOT_CHANGED
        try:
            become(uid, gid, keep_access)
            outcome = _CLOSED
            outcome = _REACHED if all(map(_may_use, paths)) else _CLOSED
        finally:
            os._exit(outcome)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _may_use(path: Path) -> bool:
    runs = path.stat().st_mode & 0o111
    return os.access(path, os.R_OK | (os.X_OK if runs else 0))


def _closed_part(path: Path) -> Path | None:
    """The outermost part of the path that is closed to others."""
    resolved = path.resolve()
    for part in [*reversed(resolved.parents), resolved]:
        if not part.stat().st_mode & 0o001:
            return part
    return None
