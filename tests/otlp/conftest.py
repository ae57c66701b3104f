"""The fixtures `otlp` and `tenant` come from tests/receiver.py."""

from tests.receiver import PAYLOADS, Receiver, Tenant

__all__ = ["PAYLOADS", "Receiver", "Tenant"]
