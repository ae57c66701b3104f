"""The form of the page Data."""

from django import forms
from django.utils.translation import gettext_lazy as _

from projects.forms import Styled
from traces.lifecycle.erasure.records import ErasureKind


class ErasureForm(Styled, forms.Form):
    kind = forms.ChoiceField(
        label=_("Whose data"), choices=[(kind, kind.label) for kind in (ErasureKind.USER, ErasureKind.SESSION)]
    )
    value = forms.CharField(
        label=_("Id"),
        max_length=1000,
        strip=False,
        help_text=_("As the traces name it. Every trace that names it is deleted whole."),
    )
