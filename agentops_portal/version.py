"""The portal's version: the first heading of CHANGELOG.md, so that there is one place to change it."""

import re

from .environment import BASE_DIR


def read_version() -> str:
    """The newest version in CHANGELOG.md, such as "0.1.0". Raises ValueError when there is no such heading."""
    changelog = (BASE_DIR / "CHANGELOG.md").read_text(encoding="utf-8")
    found = re.search(r"^## v?(\d+\.\d+\.\d+)", changelog, re.MULTILINE)
    if not found:
        raise ValueError("CHANGELOG.md has no heading of the form '## 1.2.3 - date'.")
    return found.group(1)


VERSION = read_version()
