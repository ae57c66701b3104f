"""The name of one guardrail run in addresses.

What makes a run one is (trace, guardrail, mode, start, end), see traces/store/rollups/guardrail_runs.py; names may hold
anything and be long. So the key is the start, by which the ledger is sorted, and a digest of all.
"""

import re
from typing import Final

_FORM: Final = re.compile(r"(-?[0-9]{1,19})-[0-9a-f]{32}")


def _counted(*texts: str) -> str:
    """SQL: the texts one after the other, each behind its length, so that no two lists give the same."""
    return ", ':', ".join(f"toString(length({text})), ':', {text}" for text in texts)


_START, _END = (f"toString(toUnixTimestamp64Nano({column}))" for column in ("started", "ended"))
_TEXTS = _counted("trace_id", "toString(guardrail)", "toString(mode)", _START, _END)
# Over columns of the ledger.
RUN_KEY = f"concat({_START}, '-', substring(lower(hex(SHA256(concat({_TEXTS})))), 1, 32))"


def is_run_key(text: str) -> bool:
    return _FORM.fullmatch(text) is not None and -(2**63) <= start_of_key(text) < 2**63


def start_of_key(key: str) -> int:
    """Nanoseconds since 1970."""
    return int(key[:-33])
