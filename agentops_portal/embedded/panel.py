"""The last lines of a start: where the portal is, how to sign in, what to do next."""

from typing import Any

from django.conf import settings
from rich.panel import Panel
from rich.table import Table


def ready_panel(access: dict[str, Any]) -> Panel:
    """What a person needs next. `access` is what `manage.py bootstrap --json` prints: password and key are in it
    only when they have just been made, and are shown this once."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    host = settings.PORTAL_HOST if settings.PORTAL_HOST not in ("0.0.0.0", "127.0.0.1", "::") else "localhost"  # noqa: S104
    rows = {
        "Portal": settings.PORTAL_URL,
        "Login": access["email"],
        "Password": access.get("password") or "as set before (manage.py changepassword sets another)",
        "Project ID": access["project_id"],
        "API key": access.get("api_key") or f"shown when it was made; AGENTOPS_API_KEY in {access['env_file']}",
        "Traces to": f"http://{host}:{settings.OTLP_HTTP_PORT}/v1/traces (OTLP/HTTP), "
        f"{host}:{settings.OTLP_GRPC_PORT} (OTLP/gRPC) or {settings.PORTAL_URL}/v1/traces",
    }
    for name, value in rows.items():
        table.add_row(name, str(value))
    table.add_row("", "")
    table.add_row("Next", f"1. Sign in at {settings.PORTAL_URL} and open a trace.")
    table.add_row("", "2. Point your agents here: README.md, section “Send your first trace”.")
    table.add_row("", f"3. Add people and projects at {settings.PORTAL_URL}/admin/. Ctrl-C stops the portal.")
    return Panel(table, title="AgentOps Portal is ready", border_style="green", expand=False)
