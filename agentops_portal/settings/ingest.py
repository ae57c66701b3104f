"""Limits of the OTLP receiver (traces/ingest/otlp) and of uploads (traces/ingest/uploads.py)."""

from agentops_portal import environment as env

MIB = 1024 * 1024

OTLP_MAX_BODY_BYTES = env.integer("OTLP_MAX_BODY_BYTES", 16 * MIB, minimum=1024)  # as sent
OTLP_MAX_INFLATED_BYTES = env.integer("OTLP_MAX_INFLATED_BYTES", 64 * MIB, minimum=1024)  # after gzip or zstd
OTLP_MAX_QUEUED_BYTES = env.integer("OTLP_MAX_QUEUED_BYTES", 128 * MIB, minimum=1024)  # waiting in one process

# Logs and objects of one project in a day (UTC); 0: no limit. They are kept in PostgreSQL, compressed.
UPLOADS_PER_DAY = env.integer("UPLOADS_PER_DAY", 10_000)
UPLOAD_BYTES_PER_DAY = env.integer("UPLOAD_BYTES_PER_DAY", 1024 * MIB)
