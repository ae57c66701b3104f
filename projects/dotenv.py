"""Reads and sets single variables of a `.env` file and leaves everything else in it as it is."""

import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

_ASSIGNMENT = re.compile(r"^\s*(?:export\s+)?(?P<name>[A-Za-z_]\w*)\s*=(?P<value>.*)$")


def read_variable(file: Path, name: str) -> str:
    """The value of `name`, without quotes; "" when the file or the variable is missing. Raises OSError."""
    for line in _lines(file):
        found = _ASSIGNMENT.match(line)
        if found and found["name"] == name:
            return found["value"].strip().strip("\"'")
    return ""


def set_variables(file: Path, values: Mapping[str, str]) -> None:
    """Set the variables in the file, which is made when missing, and let nobody but its owner read it.

    The file is replaced in one step, so a reader sees the old or the new one, whole. A link stays a link. Raises
    OSError when the folder or the file cannot be written.
    """
    target = file.resolve()
    lines = list(_lines(target))
    missing = dict(values)
    kept: list[str] = []
    for line in lines:
        found = _ASSIGNMENT.match(line)
        name = found["name"] if found else ""
        if name not in values:
            kept.append(line)
        elif name in missing:  # a second line of the same name would be ignored: it goes
            kept.append(f"{name}={missing.pop(name)}")
    kept += [f"{name}={value}" for name, value in missing.items()]
    _replace(target, "".join(f"{line}\n" for line in kept).encode(errors="surrogateescape"))


def _lines(file: Path) -> list[str]:
    """Split at line feeds only, and whatever is no UTF-8 comes back as it was: these are other people's lines."""
    try:
        text = file.read_bytes().decode(errors="surrogateescape")
    except FileNotFoundError:
        return []
    return text.removesuffix("\n").split("\n") if text else []


def _replace(target: Path, content: bytes) -> None:
    owner = target.stat() if target.exists() else None
    descriptor, draft = tempfile.mkstemp(prefix=f"{target.name}.", dir=target.parent)  # mode 0600
    try:
        with open(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        if owner is not None and os.geteuid() == 0:
            os.chown(draft, owner.st_uid, owner.st_gid)
        os.replace(draft, target)
    except BaseException:
        os.unlink(draft)
        raise
