"""What a process gets of the environment that the portal was started with: no secret it has no use for."""

import re
from collections.abc import Mapping

# What Python, its libraries and the loader look up; nobody keeps a secret in one of these.
_HARMLESS = re.compile(
    r"PATH|HOME|USER|LOGNAME|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|VIRTUAL_ENV|PYTHON\w+|LD_LIBRARY_PATH|MALLOC_\w+|NO_COLOR"
)


def harmless(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that any program may see, such as PATH and LANG."""
    return {name: value for name, value in environment.items() if _HARMLESS.fullmatch(name)}
