"""Serves ClickHouse 26.3 LTS, and runs a command that finds it in CLICKHOUSE_URL: python -m tests.lts COMMAND …

The exit code is the command's. The engine lives in this process, its data in a folder that goes with it.
"""

import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from agentops_portal.embedded.clickhouse import configuration, server
from agentops_portal.embedded.clickhouse.folder import DataFolder
from agentops_portal.embedded.clickhouse.listening import listen
from agentops_portal.embedded.clickhouse.service import Service

from .engine import LtsEngine

MEMORY = 2 << 30  # bytes


def main(command: list[str]) -> int:
    logging.getLogger("agentops_portal").setLevel(logging.ERROR)  # many tests fail a query on purpose
    with tempfile.TemporaryDirectory(prefix="portal-lts-") as path:
        return _serve(DataFolder(Path(path)), command)


def _serve(folder: DataFolder, command: list[str]) -> int:
    configuration.write(folder.configuration, MEMORY, folder.path / "backups")
    here = Path.cwd()
    os.chdir(folder.work)  # where the engine writes the .proto texts of settings
    engine = LtsEngine(folder.data, folder.configuration)
    listeners = listen(0)
    for listener in listeners:
        listener.listen()  # what the command asks before the server is up waits for it
    address = f"http://127.0.0.1:{listeners[0].getsockname()[1]}"
    signal.signal(signal.SIGTERM, lambda *_: None)  # until the server takes it
    child = subprocess.Popen(command, cwd=here, env=os.environ | {"CLICKHOUSE_URL": address})
    threading.Thread(target=_stop_with, args=[child], daemon=True).start()
    server.serve(listeners, Service(engine, "", folder.spool))
    child.terminate()  # when it was not its end that stopped the server
    code = child.wait()
    sys.stdout.write(f"Tested with ClickHouse {engine.version}.\n")
    sys.stdout.flush()
    return code


def _stop_with(child: "subprocess.Popen[bytes]") -> None:
    """Stop the server when the command has ended, be it before the server was up."""
    child.wait()
    while True:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.2)


if __name__ == "__main__":
    code = main(sys.argv[1:])
    os._exit(code)  # the engine's threads are not joined
