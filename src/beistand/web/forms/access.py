"""Name and password."""

from django import forms

from beistand.web.telling import label


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
