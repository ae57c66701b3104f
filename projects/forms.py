"""What people type in: sign-in, their account, a new key."""

from datetime import datetime, timedelta
from math import ceil
from typing import Any

from django import forms
from django.contrib.auth import forms as auth_forms
from django.core.exceptions import ValidationError
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from agentops_portal.fields import timezone_names, validate_name

from .models import KeyScope, User
from .throttle import claim_attempt, client_address, forgive


class Styled:
    """Gives the widgets of a form the classes of the page design."""

    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.setdefault("class", _widget_class(field.widget))


def _widget_class(widget: forms.Widget) -> str:
    if isinstance(widget, forms.CheckboxInput | forms.RadioSelect):
        return "form-check-input"
    return "form-select" if isinstance(widget, forms.Select) else "form-control"


class LoginForm(Styled, auth_forms.AuthenticationForm):
    """E-mail address and password. `retry_after` is set when too many attempts failed and none was looked at."""

    retry_after: timedelta | None = None
    error_messages = {
        **auth_forms.AuthenticationForm.error_messages,
        "invalid_login": _("E-mail address and password do not match an active account."),
    }

    def confirm_login_allowed(self, user: Any) -> None:
        super().confirm_login_allowed(user)
        if user.email_confirmed_at is None:
            raise ValidationError(
                _("This address is not confirmed yet: open the link in the e-mail that we sent you."),
                code="unconfirmed",
            )

    def clean(self) -> dict[str, Any]:
        email = self.cleaned_data.get("username", "")
        address = client_address(self.request) if self.request else None
        self.retry_after = claim_attempt(email, address) if email else None
        if self.retry_after is not None:
            minutes = ceil(self.retry_after.total_seconds() / 60)
            raise ValidationError(
                ngettext(
                    "Too many failed attempts. Try again in %(minutes)d minute.",
                    "Too many failed attempts. Try again in %(minutes)d minutes.",
                    minutes,
                ),
                code="throttled",
                params={"minutes": minutes},
            )
        cleaned = super().clean()
        if self.user_cache is not None:
            forgive(email, address)
        return cleaned


class AccountForm(Styled, forms.ModelForm):
    """A person's name and preferences."""

    timezone = forms.ChoiceField(label=_("time zone"), required=False)

    class Meta:
        model = User
        fields = ["full_name", "language", "timezone"]
        help_texts = {"language": ""}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        as_browser = ("", _("Like the browser"))
        self.fields["timezone"].choices = [as_browser, *((name, name) for name in sorted(timezone_names()))]  # type: ignore[attr-defined]
        self.fields["language"].choices = [as_browser, *list(self.fields["language"].choices)[1:]]  # type: ignore[attr-defined]


class PasswordForm(Styled, auth_forms.PasswordChangeForm):
    """The old password and, twice, the new one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["old_password"].widget.attrs["autofocus"]  # the page starts with another form


class NewPasswordForm(Styled, auth_forms.SetPasswordForm):
    """The new password, twice, for somebody who opened the link in the e-mail."""


class JoinForm(NewPasswordForm):
    """The name and password of a new account, for somebody who was invited."""

    full_name = forms.CharField(
        label=_("full name"),
        max_length=150,
        validators=[validate_name],
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )

    def save(self, commit: bool = True) -> User:
        self.user.full_name = self.cleaned_data["full_name"]
        user: User = super().save(commit)
        return user


class AddressForm(Styled, forms.Form):
    """Where to send the link for a new password."""

    email = forms.EmailField(
        label=_("e-mail address"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )


class KeyForm(Styled, forms.Form):
    """A new key: what it is for, what it opens and how long."""

    name = forms.CharField(
        label=_("name"),
        max_length=100,
        validators=[validate_name],
        help_text=_("Where the key is used, such as “LiteLLM production”."),
    )
    scopes = forms.MultipleChoiceField(
        label=_("permissions"),
        choices=KeyScope,
        initial=KeyScope.values,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("A key that may do nothing is of no use: choose at least one.")},
    )
    days = forms.TypedChoiceField(
        label=_("expires"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=[("", _("Never")), (30, _("In 30 days")), (90, _("In 90 days")), (365, _("In one year"))],
    )

    def expires_at(self) -> datetime | None:
        """When a key with the chosen life, made now, ends."""
        days = self.cleaned_data["days"]
        return now() + timedelta(days=days) if days else None
