"""Which addresses are the API's, whose errors are JSON and English."""

import re
from typing import Final

_API: Final = re.compile(r"/(?:agents|api|auth|opsboard|public|deploy|v[1-4])(?:/|$)")
# Only people with the session cookie have business here, so pages of other origins have none.
_COOKIE_ONLY: Final = re.compile(r"/(?:auth|opsboard)(?:/|$)")


def is_api(path: str) -> bool:
    return _API.match(path) is not None


def is_for_sessions_only(path: str) -> bool:
    return _COOKIE_ONLY.match(path) is not None
