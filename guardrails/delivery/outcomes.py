"""What may come of an attempt to send something."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sent:
    """Whoever is there has taken it."""

    note: str = ""


class NotSent(Exception):
    """It was certainly not taken. is_final: another attempt would end the same; wait: seconds that were asked for."""

    def __init__(self, reason: str, *, is_final: bool = False, wait: float | None = None) -> None:
        super().__init__(reason)
        self.is_final = is_final
        self.wait = wait


class InDoubt(Exception):
    """It was handed over, and nobody said whether it was taken."""
