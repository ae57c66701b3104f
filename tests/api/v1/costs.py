"""The `cost` of an answer."""

from typing import Any


def reported(amount: str | None, unknown_calls: int = 0) -> dict[str, Any]:
    """Where nothing is computed."""
    return {
        "total": amount,
        "reported": amount,
        "computed": None,
        "provenance": "reported" if amount else "unknown" if unknown_calls else "",
        "unknown_calls": unknown_calls,
        "saved": None,
    }
