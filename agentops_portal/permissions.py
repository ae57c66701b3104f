"""Says why a user may not use a file of the portal, and what helps."""

import os
import pwd
import shlex
import stat
from pathlib import Path

# The folders below PORTAL_VAR that the portal's processes write; what else lies there is a person's.
WRITTEN = ("broker", "clickhouse", "media", "postgres", "run", "secrets", "static")


def user_name(uid: int) -> str:
    """What a person calls the user."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def refusal(path: Path, error: OSError, var: Path | None = None) -> str:
    """A sentence about `path`, in the portal's folder `var` or elsewhere, which could not be used for `error`."""
    if isinstance(error, FileNotFoundError) and "node_modules" in path.parts:
        return f"{path} is missing: run `make setup` in the portal's folder."
    is_own = var is not None and path.is_relative_to(var)
    me = user_name(os.geteuid())
    elsewhere = "set PORTAL_VAR to a folder this user can write." if is_own else f"make it writable for user {me}."
    obstacle = _obstacle(path) if isinstance(error, PermissionError) else None
    if obstacle is None:
        return f"{path} cannot be written ({error.strerror}): {elsewhere}"
    status = obstacle.lstat()
    owner = user_name(status.st_uid)
    fact = f"{obstacle} belongs to user {owner} (mode {stat.S_IMODE(status.st_mode):o}) and the portal runs as {me}"
    if var is not None and is_own and not obstacle.is_relative_to(var):
        return f"{path} cannot be used: {fact}: {elsewhere}"
    what = shlex.quote(str(var if is_own else obstacle))
    if status.st_uid == os.geteuid():
        return f"{path} cannot be used: {fact}: run `chmod -R u+rwX {what}`."
    third = ", or set PORTAL_VAR to another folder" if is_own else ""
    return f"{path} cannot be used: {fact}: run `sudo chown -R {me} {what}`, or start it as {owner}{third}."


def left_by_another_user(var: Path) -> Path | None:
    """The first file in the portal's folder that this user may not use: a start by another user has left it, or a
    copy by root. Root may use all."""
    if os.geteuid() == 0:
        return None
    own = [path for path in var.iterdir() if path.name in WRITTEN or not path.is_dir()]
    return next(filter(None, map(_first_unusable, own)), None)


def _first_unusable(path: Path) -> Path | None:
    if not path.exists():  # a process that is just ending has removed it
        return None
    if _unusable(path):
        return path
    if path.is_symlink() or not path.is_dir():
        return None
    return _first_unusable_below(path)


def _first_unusable_below(folder: str | Path) -> Path | None:
    """One system call for each of the 100,000 files that a store may have: every start waits for this."""
    for entry in os.scandir(folder):
        is_folder = entry.is_dir()
        if not os.access(entry.path, _rights(is_folder)) and os.path.exists(entry.path):
            return Path(entry.path)
        if is_folder and not entry.is_symlink() and (found := _first_unusable_below(entry.path)):
            return found
    return None


def _unusable(path: Path) -> bool:
    return not os.access(path, _rights(path.is_dir()))


def _rights(is_folder: bool) -> int:
    return os.R_OK | os.W_OK | (os.X_OK if is_folder else 0)


def _obstacle(path: Path) -> Path | None:
    """The outermost part of the path that keeps this user out; None when no mode does."""
    for part in [*reversed(path.parents), path]:
        try:
            closed = _unusable(part) if part == path else not os.access(part, os.X_OK)
            if not part.exists():
                return part.parent if not os.access(part.parent, os.W_OK) else None
        except OSError:
            closed = True
        if closed:
            return part
    return None
