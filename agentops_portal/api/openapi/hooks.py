"""What drf-spectacular is told about all endpoints at once."""

from typing import Any

Endpoint = tuple[str, str, str, Any]  # address, its pattern, method, view

# Other names of addresses, for clients that use them.
ALIASES = ("/api/agentops/", "/api/agents", "/v4/metrics/")  # of /api/monitoring/, /agents and /v4/meterics/


def without_aliases(endpoints: list[Endpoint]) -> list[Endpoint]:
    """Each endpoint under one name, and with a slash at its end where it has one."""
    addresses = {path for path, *_ in endpoints}
    return [
        each
        for each in endpoints
        if not any(each[0].startswith(alias) for alias in ALIASES) and f"{each[0]}/" not in addresses
    ]
