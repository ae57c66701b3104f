"""Text of people in e-mails of the portal: quoted, short, in one line, and nothing in it becomes a link.

Whoever is invited reads it as the portal's own word, so it must not be the inviter's to compose.
"""

import re
from typing import Final

from agentops_portal.fields import one_line

LONGEST: Final = 60  # characters of a name
# What mail programs make links of: schemes, and dots (IDNA's full-width ones too) within a word that is no number.
_SCHEME: Final = re.compile(r"(?<=\w)(?=[:：]\s*[/／\\]{2})")
_DOTS: Final = "[.\u3002\uff0e\uff61\u2024]"
_DOT: Final = re.compile(rf"(?<=[^\s\d]){_DOTS}(?=\S)|(?<=\d){_DOTS}(?=[^\s\d])")
_PLAIN_ADDRESS: Final = re.compile(r"[a-z0-9._%+-]{1,64}@[a-z0-9.-]{1,190}")


def quoted(name: str) -> str:
    """The name in quotation marks, at most LONGEST characters of it; `evil.example` is `evil[.]example`."""
    text = one_line(name).replace("“", "'").replace("”", "'").replace('"', "'")
    if len(text) > LONGEST:
        text = text[: LONGEST - 1].rstrip() + "…"
    return f"“{_DOT.sub('[.]', _SCHEME.sub(' ', text))}”"


def named(full_name: str, email: str) -> str:
    """A person: the name in quotation marks, and the address, which is confirmed; one that is hard to read as text."""
    address = email if _PLAIN_ADDRESS.fullmatch(email) else quoted(email)
    return f"{quoted(full_name)} ({address})" if one_line(full_name) else address
