"""What the page of a project without traces offers to copy."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from projects.models import Project
from projects.snippets import Snippet, receiver_url, snippets

KEY = "YOUR_API_KEY"


def show_first_steps(request: HttpRequest, project: Project) -> HttpResponse:
    """In the place of any page that shows traces, as long as the project has none."""
    context = {"project": project, "snippets": first_steps(), "receiver_url": receiver_url()}
    return render(request, "traces/first_steps.html", context)


def first_steps() -> list[Snippet]:
    """A span by hand, to see the way work; then the settings of real clients."""
    return [_curl(), *snippets(KEY)]


def _curl() -> Snippet:
    text = f"""now=$(date +%s)
trace=$(head -c16 /dev/urandom | od -An -tx1 | tr -d ' \\n')
span=$(head -c8 /dev/urandom | od -An -tx1 | tr -d ' \\n')
curl -i {receiver_url()}/v1/traces \\
  -H 'x-api-key: {KEY}' -H 'Content-Type: application/json' -d '{{
  "resourceSpans": [{{
    "resource": {{"attributes": [{{"key": "service.name", "value": {{"stringValue": "curl"}}}}]}},
    "scopeSpans": [{{"spans": [{{
      "name": "hello, portal", "kind": 1, "traceId": "'$trace'", "spanId": "'$span'",
      "startTimeUnixNano": "'$now'000000000", "endTimeUnixNano": "'$now'250000000"
    }}]}}]
  }}]
}}'"""
    return Snippet("curl", _("Try it with curl"), text)
