"""How Hypothesis looks for examples here: however long it takes, for other tests run beside it."""

from hypothesis import HealthCheck, settings

STEADY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
