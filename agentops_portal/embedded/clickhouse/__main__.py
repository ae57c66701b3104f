"""Starts the embedded ClickHouse: `python -m agentops_portal.embedded.clickhouse --data DIR --port N`."""

import contextlib
import logging
import os
import resource
import signal
import sys

from . import configuration, sandbox
from .folder import DataFolder
from .listening import listen
from .options import Options, Unusable, parse

UNLOADABLE = 8

log = logging.getLogger("clickhouse")


def main() -> int:
    """Serve until stopped; the exit code is 0, or that of the reason not to start."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger(__package__).setLevel(logging.INFO)
    log.setLevel(logging.INFO)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until it serves, an interrupt just ends it
    try:
        options = parse(sys.argv[1:])
        _serve(options)
    except Unusable as reason:
        log.error("%s", reason)
        return reason.exit_code
    return 0


def _serve(options: Options) -> None:
    folder = DataFolder(options.folder)
    listeners = listen(options.port)
    configuration.write(folder.configuration, options.memory, options.folder / "backups")
    os.environ["TZ"] = "UTC"  # what is stored without a timezone is UTC, whatever this machine is set to
    os.environ["TMPDIR"] = str(folder.spool)
    os.chdir(folder.work)
    _raise_file_limit()
    sandbox.forget_environment()
    sandbox.enter(options.folder, options.port)
    sandbox.check()

    # Only now: the engine starts threads when it is imported, and they must be within the sandbox.
    log.info("opening %s", folder.path)
    try:
        from . import server
        from .engine import ENGINE_VERSION, Engine
        from .service import Service
    except ImportError as error:
        raise Unusable(f"ClickHouse's engine, the package chdb, can't be loaded: {error}", UNLOADABLE) from error

    folder.check_version(ENGINE_VERSION)
    try:
        engine = Engine(folder.data, folder.configuration)
    except RuntimeError as error:
        raise Unusable(f"The data folder {options.folder} can't be opened: {error}") from error
    folder.mark(engine.version)
    service = Service(engine, options.password, folder.spool)
    log.info("ClickHouse %s serves %s on http://localhost:%d", engine.version, folder.path, options.port)
    server.serve(listeners, service)
    service.close()


def _raise_file_limit() -> None:
    """Parts of tables and threads of the engine hold files open: take as many as this user may have."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    code = main()
    logging.shutdown()
    os._exit(code)  # the engine's threads are not joined: everything acknowledged is on disk
