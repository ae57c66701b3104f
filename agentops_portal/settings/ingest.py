"""Limits of the OTLP receiver (traces/otlp)."""

from agentops_portal import environment as env

MIB = 1024 * 1024

OTLP_MAX_BODY_BYTES = env.integer("OTLP_MAX_BODY_BYTES", 16 * MIB, minimum=1024)  # as sent
OTLP_MAX_INFLATED_BYTES = env.integer("OTLP_MAX_INFLATED_BYTES", 64 * MIB, minimum=1024)  # after gzip or zstd
OTLP_MAX_QUEUED_BYTES = env.integer("OTLP_MAX_QUEUED_BYTES", 128 * MIB, minimum=1024)  # waiting in one process
