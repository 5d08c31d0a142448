"""A fresh machine: the first administrator, then what this appliance is."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from beistand.domain.role import Role
from beistand.protocol import NetworkView
from beistand.web.forms.access import new_password_field
from beistand.web.telling import label, say_now


class CodeForm(forms.Form):
    """The one-time code from the console, and whom it makes an administrator."""

    code = forms.CharField(
        label=label("web.setup.code"),
        help_text=label("web.setup.code.help"),
        max_length=100,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "autocapitalize": "characters",
                "spellcheck": "false",
                "class": "mono",
                "placeholder": "XXXXX-XXXXX-XXXXX-XXXXX",
            }
        ),
    )
    name = forms.CharField(
        label=label("web.setup.name"),
        help_text=label("web.setup.name.help"),
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
    )
    password = new_password_field("web.setup.password", "web.setup.password.help")
    again = new_password_field("web.setup.again")

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("again") and given.get("password") != given.get("again"):
            self.add_error("again", ValidationError(say_now("web.setup.again.differs")))
        return given


class ApplianceForm(forms.Form):
    """What `init` asks for; the candidates come from the machine itself."""

    role = forms.ChoiceField(
        label=label("web.setup.role"),
        choices=[
            (Role.ACTIVE.value, label("web.setup.role.active")),
            (Role.STANDBY.value, label("web.setup.role.standby")),
        ],
        widget=forms.RadioSelect,
    )
    own = forms.ChoiceField(
        label=label("web.setup.own"), help_text=label("web.setup.own.help"), widget=forms.RadioSelect
    )
    service = forms.GenericIPAddressField(
        label=label("web.setup.service"),
        help_text=label("web.setup.service.help"),
        protocol="IPv4",
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "decimal"}),
        error_messages={"invalid": label("web.setup.service.wrong")},
    )
    profile = forms.ChoiceField(label=label("web.setup.profile"), help_text=label("web.setup.profile.help"))
    strict = forms.BooleanField(
        label=label("web.setup.strict"), help_text=label("web.setup.strict.help"), required=False
    )
    ends_calls = forms.BooleanField(
        label=label("web.setup.ends-calls"), help_text=label("web.setup.ends-calls.help"), required=False
    )

    def __init__(self, view: NetworkView, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own: Any = self.fields["own"]
        own.choices = [
            (f"{interface} {address}", f"{address} ({interface})")
            for address, interface in zip(view.candidates, view.interfaces, strict=True)
        ]
        if len(own.choices) == 1:
            own.initial = own.choices[0][0]
        profile: Any = self.fields["profile"]
        profile.choices = [(each, each) for each in view.profiles]
