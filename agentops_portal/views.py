"""Pages that belong to no app."""

from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import check_for_language
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from projects.models import User


@require_POST
def language_set(request: HttpRequest) -> HttpResponseBase:
    """Remember the posted `language` in a cookie and, for a signed-in user, in the account; then go to `next`."""
    response = set_language(request)
    code = request.POST.get("language", "")
    if isinstance(request.user, User) and check_for_language(code):
        request.user.language = code
        request.user.save(update_fields=["language"])
    return response
