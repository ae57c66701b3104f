"""Which policies somebody reaches, and which are evaluated."""

from typing import TYPE_CHECKING, Self

from guardrails.rows import SharedRows

if TYPE_CHECKING:
    from .models import Policy  # noqa: F401 - named in an annotation below


class PolicyQuerySet(SharedRows["Policy"]):
    def enabled(self) -> Self:
        return self.of_active().filter(is_enabled=True)
