"""Virtual environments of the real clients: their dependencies exclude the portal's own.

Each is made once, below $PORTAL_TEST_CACHE or var/clients, and made anew when its requirements or Python change.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("PORTAL_TEST_CACHE") or HERE.parent.parent / "var" / "clients")
INSTALL_SECONDS = 400


def client_environment(name: str) -> Path:
    """The `bin` folder of the environment that `requirements-<name>.txt` describes.

    Skips the test when pip cannot install it; an index that cannot be reached is no fault of the portal.
    """
    requirements = HERE / f"requirements-{name}.txt"
    mark = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = CACHE / f"{name}-{mark}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # parallel test runs install once
        if not (folder / "complete").exists():
            _remove_outdated(name)
            _install(folder, requirements)
            (folder / "complete").touch()
    return folder / "bin"


def javascript_environment(source: Path) -> Path:
    """A folder with the scripts of `source` beside what its package-lock.json names.

    Skips the test without Node, or when npm cannot install the packages.
    """
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("Node is not installed, so its OpenTelemetry SDK cannot run.")
    lock_file = source / "package-lock.json"
    folder = CACHE / f"{source.name}-{hashlib.sha256(lock_file.read_bytes()).hexdigest()[:12]}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{source.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            _remove_outdated(source.name)
            shutil.copytree(source, folder)
            install = ("npm", "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts")
            done = subprocess.run(install, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS)
            if done.returncode:
                shutil.rmtree(folder, ignore_errors=True)
                pytest.skip(f"{source.name} packages could not be installed: {done.stderr.strip()[-200:]}")
            (folder / "complete").touch()
        for script in source.glob("*.mjs"):
            shutil.copy(script, folder)
    return folder


def _install(folder: Path, requirements: Path) -> None:
    pip = (str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    # Everything is pinned, so there is nothing to resolve; bytecode is made for what is imported, at first use.
    options = ("--no-deps", "--no-compile", "--requirement", str(requirements))
    for command in ((sys.executable, "-m", "venv", str(folder)), (*pip, *options)):
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS)
        if done.returncode:
            shutil.rmtree(folder, ignore_errors=True)
            reason = (done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}").splitlines()[-1]
            pytest.skip(f"{requirements.name} could not be installed: {reason}")


def _remove_outdated(name: str) -> None:
    for folder in CACHE.glob(f"{name}-*"):
        shutil.rmtree(folder, ignore_errors=True)
