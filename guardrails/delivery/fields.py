"""Fields of forms for the addresses that messages go to."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from agentops_portal.fields import lower_email

from .outbound import fault_of

MOST_LINES = 50
LONGEST_LIST = 20_000  # characters of addresses
LONGEST_ADDRESS = 500
SLACK = "https://hooks.slack.com/"


class LinesField(forms.CharField):
    """One address a line, or separated by commas; gives a list without doubles."""

    widget = forms.Textarea(attrs={"rows": 2, "spellcheck": "false"})

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, max_length=LONGEST_LIST, **kwargs)

    def clean(self, value: Any) -> list[str]:
        text = super().clean(value)
        found = list(dict.fromkeys(word for word in text.replace(",", "\n").split() if word))
        if len(found) > MOST_LINES:
            raise ValidationError(_("At most %(most)d addresses."), params={"most": MOST_LINES})
        return found


class EmailsField(LinesField):
    def clean(self, value: Any) -> list[str]:
        found = [lower_email(each) for each in super().clean(value)]
        for address in found:
            try:
                validate_email(address)
            except ValidationError:
                raise ValidationError(_("%(address)s is no e-mail address."), params={"address": address}) from None
        return found


class HooksField(LinesField):
    def clean(self, value: Any) -> list[str]:
        found: list[str] = super().clean(value)
        for address in found:
            fault = fault_of(address) or ("it is too long" if len(address) > LONGEST_ADDRESS else "")
            if fault:
                raise ValidationError(
                    _("%(address)s is no address for a webhook."), params={"address": address[:LONGEST_ADDRESS]}
                )
        return found


class SlackField(HooksField):
    def clean(self, value: Any) -> list[str]:
        found = super().clean(value)
        if not settings.WEBHOOKS_MAY_BE_PRIVATE and not all(each.startswith(SLACK) for each in found):
            raise ValidationError(_("Incoming webhooks of Slack begin with %(start)s"), params={"start": SLACK})
        return found
