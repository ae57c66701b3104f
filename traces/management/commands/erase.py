from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.db import Error

from projects.models import Project
from traces.converters import stored_trace_id
from traces.lifecycle.erasure.records import ErasureKind
from traces.lifecycle.erasure.services import carry_out, request_erasure


class Command(BaseCommand):
    help = "Delete a trace, or all traces of a user or a session, from every table, and print the recount."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("project", type=UUID, help="the id of the project")
        parser.add_argument("kind", choices=ErasureKind.values)
        parser.add_argument("value", help="the id of the trace, user or session")

    def handle(self, *args: Any, project: UUID, kind: str, value: str, **options: Any) -> None:
        found = Project.objects.filter(pk=project).first()
        if found is None:
            raise CommandError(f"There is no project {project}.")
        if kind == ErasureKind.TRACE:
            try:
                value = stored_trace_id(value)
            except ValueError as error:
                raise CommandError(str(error)) from None
        erasure = request_erasure(project=found, kind=ErasureKind(kind), value=value, actor=None)
        try:
            carry_out(erasure)
        except Error as error:
            raise CommandError(f"It is not done and is tried again every five minutes. {error}") from error
        self.stdout.write(f"Deleted {erasure.traces} traces.")
        for table, rows in erasure.removed.items():
            self.stdout.write(f"  {table}: {rows} rows, {erasure.left[table]} left")
