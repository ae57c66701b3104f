"""What other apps are told of projects: this app knows nothing of what they keep for one."""

from typing import Final

from django.dispatch import Signal

# project_ids: rows that are gone, after the transaction; whoever keeps data of theirs removes it.
projects_removed: Final = Signal()
