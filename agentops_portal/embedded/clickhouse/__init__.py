"""A ClickHouse for one machine: the engine of the `chdb` wheel behind ClickHouse's HTTP interface.

Start it with `python -m agentops_portal.embedded.clickhouse --data DIR --port N`; README.md says how it works.
"""
