import json as jsonlib
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from agentops_portal import environment as env
from projects.bootstrap import EMAIL, Bootstrap, BootstrapError, bootstrap


class Command(BaseCommand):
    help = (
        "Make the first user, organization, project and API key, and write the key and the project's id to .env. "
        "Safe to repeat: what is there stays. BOOTSTRAP_EMAIL and BOOTSTRAP_PASSWORD choose the new account's."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--email", default="", help=f"e-mail address of the account (default: {EMAIL})")
        parser.add_argument("--password", default="", help="set this password, for an existing account too")
        parser.add_argument("--rotate-key", action="store_true", help="revoke the key of the file and make a new one")
        file = parser.add_mutually_exclusive_group()
        file.add_argument("--env-file", type=Path, default=None, help="write there (default: .env)")
        file.add_argument("--no-env-file", action="store_true", help="write no file")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            result = bootstrap(
                email=options["email"] or env.text("BOOTSTRAP_EMAIL", EMAIL),
                password=options["password"] or env.text("BOOTSTRAP_PASSWORD"),
                reset_password=bool(options["password"]),
                rotate_key=options["rotate_key"],
                env_file=None if options["no_env_file"] else options["env_file"] or settings.DOTENV_FILE,
            )
        except BootstrapError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(jsonlib.dumps(result.as_json(), ensure_ascii=False) if options["json"] else _text(result))


def _text(result: Bootstrap) -> str:
    place = f"in {result.env_file}" if result.env_file else "shown when it was made"
    return "\n".join(
        [
            f"User: {result.email}",
            f"Password: {result.password or 'as set before; `manage.py changepassword` sets another'}",
            f"Organization: {result.organization}",
            f"Project: {result.project}",
            f"Project ID: {result.project_id}",
            f"API Key: {result.api_key or f'{result.key_prefix}… ({place}; --rotate-key makes a new one)'}",
        ]
    )
