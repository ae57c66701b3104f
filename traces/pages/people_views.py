"""Sessions and users of a project: who was there, and what they asked, got and cost."""

from collections.abc import Iterator

from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agentops_portal.clickhouse.together import Questions, together
from agentops_portal.units import iso_utc
from projects.models import Project
from traces.reading.turns import turn
from traces.store.queries.filters import TraceFilter
from traces.store.queries.people_table import PeopleFilter, PersonRow, people_page, person
from traces.store.queries.person_keys import Found, PersonKind, person_by_key
from traces.store.queries.trace_list import trace_page
from traces.store.queries.trace_table import trace_table
from traces.store.queries.turns import speakers

from .form_page import Answer, form_page
from .links import Links
from .people_form import LABELS, PeopleForm, TurnsForm
from .period import PeriodForm
from .tables import CSV, csv_file

ROWS = 50  # of a page
FILE_ROWS = 10_000  # of a file
TURNS = 20  # of a page of a session
RECENT = 20  # sessions and traces on the page of a user
_MISSING = {
    "session": gettext_lazy("There is no such session in this project."),
    "user": gettext_lazy("There is no such user in this project."),
}


@form_page("traces/people.html", PeopleForm)
def sessions_page(request: HttpRequest, project: Project, form: PeopleForm) -> Answer:
    """Context: as `_people`."""
    return _people(request, project, form, "session")


@form_page("traces/people.html", PeopleForm)
def users_page(request: HttpRequest, project: Project, form: PeopleForm) -> Answer:
    """Context: as `_people`."""
    return _people(request, project, form, "user")


def _people(request: HttpRequest, project: Project, form: PeopleForm, kind: PersonKind) -> Answer:
    """Context: `form`, `period`, `kind`, `people`, addresses of the `file` and of the `next` page; with `?csv=…` the
    first FILE_ROWS of the list as a file.
    """
    period = form.period(project.pk)
    wanted, cursor = PeopleFilter(text=form.cleaned_data["q"].strip()), form.cleaned_data["cursor"]
    if CSV in request.GET:
        rows = people_page(period.scope, kind, wanted, form.order, None, FILE_ROWS).rows
        return csv_file(_lines(rows, kind), f"{kind}s", project.name)
    page = people_page(period.scope, kind, wanted, form.order, cursor, ROWS)
    return {
        "is_empty": not page.rows and not cursor and not wanted.text,
        "period": period,
        "kind": kind,
        "people": page.rows,
        "file_address": form.address(**{CSV: f"{kind}s"}),
        "next_address": form.address(cursor=str(page.next_cursor)) if page.next_cursor else "",
    }


def _lines(rows: list[PersonRow], kind: PersonKind) -> Iterator[list[object]]:
    """Times are ISO 8601, UTC; durations nanoseconds."""
    yield [
        *(_("Session") if kind == "session" else _("User"), _("Users") if kind == "session" else _("Sessions")),
        *(_("Requests"), _("Failed"), _("LLM calls"), _("Input tokens"), _("Output tokens"), _("Tokens")),
        *(f"{_('Cost')} (USD)", _("Unpriced calls"), _("Blocked"), f"{_('Request p95')} (ns)"),
        *(_("First seen"), _("Last seen")),
    ]
    for row in rows:
        each = row.person
        yield [
            *(each.id, each.other_count, each.traces, each.error_traces, each.llm_calls),
            *(each.input_tokens, each.output_tokens, each.total_tokens, each.cost.reported, each.cost.unknown_calls),
            *(each.blocked_runs, row.p95_ns, iso_utc(each.first_ns), iso_utc(each.last_ns)),
        ]


def _found(project: Project, kind: PersonKind, key: str) -> Found:
    found = person_by_key(project.pk, kind, key)
    if found is None:
        raise Http404(_MISSING[kind])
    return found


@form_page("traces/session_detail.html", TurnsForm)
def session_page(request: HttpRequest, project: Project, form: TurnsForm, key: str) -> Answer:
    """Context: `row` (PersonRow), `turns` (trace and what was said) of a `page`, and addresses; of all of the session,
    whenever it was.
    """
    found = _found(project, "session", key)
    number = form.cleaned_data["page"] or 1
    wanted, offset = TraceFilter(session=found.id), (number - 1) * TURNS
    with Questions() as ask:
        row = ask(lambda: person(found.scope, "session", found.id))
        asked = ask(
            lambda: trace_table(found.scope, wanted, order="start", descending=False, limit=TURNS, offset=offset)
        )
    session, traces = row.result(), asked.result()
    if session is None or (number > 1 and not traces):
        raise Http404(_MISSING["session"])
    said = speakers(found.scope, traces)
    return {
        "row": session,
        "key": key,
        "first_number": offset + 1,
        "turns": [(trace, turn(said.get(trace.trace_id))) for trace in traces],
        "earlier_address": form.address(page=str(number - 1)) if number > 1 else "",
        "later_address": form.address(page=str(number + 1)) if offset + TURNS < session.person.traces else "",
    }


@form_page("traces/user_detail.html", PeriodForm)
def user_page(request: HttpRequest, project: Project, form: PeriodForm, key: str) -> Answer:
    """Context: `user_id`, `period`, `row` (PersonRow, None without traces in the range), the newest `sessions` and
    `traces` of the user.
    """
    found = _found(project, "user", key)
    period = form.period(project.pk)
    row, sessions, page = together(
        lambda: person(period.scope, "user", found.id),
        lambda: people_page(period.scope, "session", PeopleFilter(user=found.id), "last", None, RECENT),
        lambda: trace_page(period.scope, TraceFilter(user=found.id), None, RECENT),
    )
    return {
        "user_id": found.id,
        "period": period,
        "row": row,
        "sessions": sessions.rows,
        "columns": [(label, "", False) for label in LABELS.values()],
        "page": page,
        "traces_address": Links(project.pk, period, form.address()).traces(user=found.id),
    }
