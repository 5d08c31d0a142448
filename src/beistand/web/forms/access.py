"""Names and passwords."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from beistand.domain.account import AccountRole
from beistand.web.telling import label, say_now


class LogInForm(forms.Form):
    name = forms.CharField(
        label=label("web.log-in.name"),
        max_length=200,
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "autofocus": True}
        ),
    )
    password = forms.CharField(
        label=label("web.log-in.password"),
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


def new_password_field(title: str, help_text: str = "", *, required: bool = True) -> forms.CharField:
    """Return a field for a password that is made here: what it must be is the agent's to say."""
    return forms.CharField(
        label=label(title),
        help_text=label(help_text) if help_text else "",
        max_length=1000,
        strip=False,
        required=required,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class PasswordForm(forms.Form):
    """One's own password."""

    old = forms.CharField(
        label=label("web.password.old"),
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    new = new_password_field("web.password.new", "web.setup.password.help")
    again = new_password_field("web.setup.again")

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("again") and given.get("new") != given.get("again"):
            self.add_error("again", ValidationError(say_now("web.setup.again.differs")))
        return given


_ROLES = [
    (AccountRole.ADMINISTRATOR.value, label("web.role.administrator.long")),
    (AccountRole.VIEWER.value, label("web.role.viewer.long")),
]


class AccountForm(forms.Form):
    """An account that is made or changed."""

    account = forms.CharField(
        label=label("web.accounts.name"),
        help_text=label("web.setup.name.help"),
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )
    role = forms.ChoiceField(label=label("web.accounts.role"), choices=_ROLES, widget=forms.RadioSelect)
    new_password = new_password_field("web.accounts.new-password", "web.setup.password.help", required=False)


class TokenForm(forms.Form):
    """A program's way in."""

    program = forms.CharField(
        label=label("web.accounts.program"),
        help_text=label("web.accounts.program.help"),
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )
    role = forms.ChoiceField(label=label("web.accounts.role"), choices=_ROLES, widget=forms.RadioSelect)
