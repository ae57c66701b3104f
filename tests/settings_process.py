"""The settings as a process of its own reads them from the environment."""

import subprocess
import sys

from django.conf import settings

ASK = "from agentops_portal.settings import {} as m; print(*({},))"


def asked(module: str, expression: str, **environment: str) -> tuple[int, str]:
    """What `expression` says of the module of settings, `m`; or the code and last line of a refusal."""
    standard = {"PATH": "/usr/bin", "PORTAL_VAR": str(settings.PORTAL_VAR), "PORTAL_DOTENV": "/nowhere"}
    done = subprocess.run(
        [sys.executable, "-c", ASK.format(module, expression)],
        env={**standard, **environment},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout.strip() or done.stderr.strip().splitlines()[-1]
