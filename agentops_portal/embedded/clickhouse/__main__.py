"""Starts the embedded ClickHouse: `python -m agentops_portal.embedded.clickhouse --data DIR --port N`."""

import argparse
import os
from pathlib import Path

import uvicorn

from .app import Application
from .engine import Engine


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m agentops_portal.embedded.clickhouse", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the data folder; made when it does not exist")
    parser.add_argument("--port", type=int, default=8124, help="HTTP port on 127.0.0.1")
    options = parser.parse_args()
    options.data.mkdir(parents=True, exist_ok=True)
    engine = Engine(options.data.resolve())
    application = Application(engine, os.environ.get("CLICKHOUSE_PASSWORD", ""))
    uvicorn.run(application, host="127.0.0.1", port=options.port, http="httptools", log_level="warning", lifespan="off")
    engine.close()


if __name__ == "__main__":
    main()
