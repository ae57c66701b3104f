"""The page behind the link in an invitation: join with the account of that address, or make it here and now."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth import login
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from .forms import JoinForm
from .limits import limits_posts
from .models import Invitation, User
from .services import record
from .teams import Refused, accept_invitation

_SALT = "projects.joining"


def token_of(invitation: Invitation) -> str:
    """What proves that the link was read where the invitation was sent to. It ends with the invitation."""
    value = f"{invitation.pk}:{invitation.email}"
    return salted_hmac(_SALT, value, algorithm="sha256").hexdigest()


@limits_posts
@never_cache
@sensitive_post_parameters()
def join(request: HttpRequest, invitation_id: UUID, token: str) -> HttpResponse:
    """Context: `invitation` (None: it has ended, 404), and `step`: "accept" for the invited person, "leave" for
    somebody else who is signed in, "sign-in" when the address has an account, else "make" with `form` (JoinForm).
    """
    found = Invitation.objects.filter(pk=invitation_id).select_related("organization").first()
    if found is None or not constant_time_compare(token, token_of(found)):
        return render(request, "projects/join.html", {"invitation": None}, status=404)
    context: dict[str, Any] = {"invitation": found, "here": request.path}
    if isinstance(request.user, User):
        if request.user.email != found.email:
            return render(request, "projects/join.html", {**context, "step": "leave"})
        return _accept(request, context, request.user)
    if User.objects.filter(email=found.email).exists():
        return render(request, "projects/join.html", {**context, "step": "sign-in"})
    return _make(request, context, found)


def _accept(request: HttpRequest, context: dict[str, Any], user: User) -> HttpResponse:
    if request.method != "POST":
        return render(request, "projects/join.html", {**context, "step": "accept"})
    return _joined(request, context["invitation"], user)


def _make(request: HttpRequest, context: dict[str, Any], invitation: Invitation) -> HttpResponse:
    form = JoinForm(User(email=invitation.email), request.POST or None)
    if request.method != "POST" or not form.is_valid():
        step = {"step": "make", "form": form}
        return render(request, "projects/join.html", {**context, **step}, status=422 if form.errors else 200)
    try:
        with transaction.atomic():
            user = form.save()
            record("user.joined", actor=user, organization=invitation.organization, target=user.email)
    except IntegrityError:  # made in another window meanwhile
        return redirect(request.path)
    login(request, user)
    return _joined(request, invitation, user)


def _joined(request: HttpRequest, invitation: Invitation, user: User) -> HttpResponse:
    try:
        accept_invitation(organization_id=invitation.organization_id, user=user)
    except Refused:  # withdrawn meanwhile
        return render(request, "projects/join.html", {"invitation": None}, status=404)
    messages.success(request, _("Welcome to %(organization)s.") % {"organization": invitation.organization})
    return redirect("project-list")
