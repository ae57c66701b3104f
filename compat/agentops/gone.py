"""/v1 and /v2, which the agentops SDK asked before version 0.4: 410 with the way out. What these versions send, events
of sessions, is no trace and has no place here.
"""

from django.http import HttpRequest, JsonResponse
from django.urls import path, re_path
from django.views.decorators.csrf import csrf_exempt

from projects.snippets import SDK_INSTALL

MESSAGE = (
    "agentops >= 0.4 is needed: this portal takes traces, not the sessions and events of older versions."
    f" Upgrade with: {SDK_INSTALL} --upgrade"
)


@csrf_exempt
def gone(request: HttpRequest, **_names: str) -> JsonResponse:
    return JsonResponse({"message": MESSAGE}, status=410)


urlpatterns = [
    re_path(r"^v1/(?P<name>sessions|agents|threads|events|developer_errors)$", gone),
    path("v2/<path:name>", gone),
]
