"""Pages behind the links that accounts.py has sent: a new password, a confirmed address."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import views as auth_views
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.http import urlsafe_base64_decode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from .accounts import AccountUnavailable, confirm_address, confirmation_tokens, request_password_reset
from .forms import AddressForm, NewPasswordForm
from .limits import limits_posts
from .models import User
from .rates import Limit, take
from .throttle import client_address


@limits_posts
def password_reset(request: HttpRequest) -> HttpResponse:
    """Context: `form` (email), `may_send`, and `sent` once it was posted, whether there is such an account or not."""
    form = AddressForm(request.POST or None)
    context: dict[str, Any] = {"form": form, "may_send": settings.EMAIL_IS_CONFIGURED, "sent": False}
    if request.method != "POST" or not form.is_valid():
        return render(request, "projects/password_reset.html", context, status=422 if form.errors else 200)
    usage = take(Limit("mail", settings.AUTH_MAILS_PER_HOUR or 1_000_000, 3600), f"address:{client_address(request)}")
    if not usage.allowed:
        form.add_error(None, _("Too many e-mails were asked for from here. Try again in an hour."))
        return render(request, "projects/password_reset.html", context, status=429)
    try:
        request_password_reset(form.cleaned_data["email"])
    except AccountUnavailable as error:
        form.add_error(None, str(error))
        return render(request, "projects/password_reset.html", context, status=503)
    return render(request, "projects/password_reset.html", {**context, "sent": True})


@method_decorator(limits_posts, name="dispatch")
class PasswordResetConfirmView(auth_views.PasswordResetConfirmView):
    """Context: `validlink`, `form`. The new password ends every session of the account."""

    template_name = "projects/password_reset_confirm.html"
    form_class = NewPasswordForm
    success_url = reverse_lazy("login")

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        confirm_address(form.user)
        messages.success(self.request, _("The new password is in force: sign in with it."))
        return response


@limits_posts
@never_cache
def signup_confirm(request: HttpRequest, uidb64: str, token: str) -> HttpResponse:
    """Context: `email`, empty when the link does not count. Only a POST confirms: mail servers open links too."""
    user = _user_of(uidb64)
    if user is None or user.email_confirmed_at is not None or not confirmation_tokens.check_token(user, token):
        return render(request, "projects/signup_confirm.html", {"email": ""}, status=404)
    if request.method != "POST":
        return render(request, "projects/signup_confirm.html", {"email": user.email})
    confirm_address(user)
    messages.success(request, _("Your address is confirmed: sign in."))
    return redirect("login")


def _user_of(uidb64: str) -> User | None:
    try:
        return User.objects.filter(pk=urlsafe_base64_decode(uidb64).decode(), is_active=True).first()
    except (ValueError, ValidationError):  # a made-up link
        return None
