"""What other apps are told of sample traffic: this one knows nothing of what they make of it."""

from typing import Final

from django.dispatch import Signal

# project: the row that has the traffic now; now: the moment up to which it goes.
sample_loaded: Final = Signal()
