import json
import subprocess
import sys

from django.conf import settings

SCRIPT = """
import json, os
os.environ["DJANGO_SETTINGS_MODULE"] = "agentops_portal.settings"
import django
django.setup()
from projects.tasks import send_password_reset
send_password_reset.delay("queued@example.com")
print(json.dumps(send_password_reset.app.main))
"""


def test_the_web_process_reaches_the_queue() -> None:
    queue = settings.BROKER_DIR / "queue"
    before = set(queue.iterdir())
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, cwd=settings.BASE_DIR)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == "agentops_portal"
    new = set(queue.iterdir()) - before
    assert len(new) == 1
    assert "projects.send_password_reset" in new.pop().read_text()
