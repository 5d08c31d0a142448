"""The mail server, its test, and the text of the mail to all users (S21, S22)."""

from typing import Any

from django import forms

from beistand.domain.mail import Encryption
from beistand.domain.mail_text import LONGEST_BODY, LONGEST_SUBJECT
from beistand.protocol import MailView
from beistand.web.forms.mail_address import MailAddressField
from beistand.web.telling import label

PORTS = {Encryption.NONE: 25, Encryption.STARTTLS: 587, Encryption.TLS: 465}
"""What servers usually listen at: RFC 5321, RFC 6409, RFC 8314."""
LONGEST_NAME = 253


class MailServerForm(forms.Form):
    """The password never comes back into it: empty keeps what is set, a tick takes it away."""

    host = forms.CharField(
        label=label("web.mail.host"),
        help_text=label("web.mail.host.help"),
        required=False,
        max_length=LONGEST_NAME,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    encryption = forms.ChoiceField(
        label=label("web.mail.encryption"),
        help_text=label("web.mail.encryption.help"),
        choices=[(each.value, label(f"web.mail.encryption.{each.value}")) for each in Encryption],
    )
    port = forms.IntegerField(
        label=label("web.mail.port"),
        help_text=label("web.mail.port.help"),
        required=False,
        min_value=1,
        max_value=65535,
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), label("web.mail.port.wrong")),
    )
    user = forms.CharField(
        label=label("web.mail.user"),
        help_text=label("web.mail.user.help"),
        required=False,
        max_length=LONGEST_NAME,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    password = forms.CharField(
        label=label("web.mail.password"),
        required=False,
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    forget_password = forms.BooleanField(label=label("web.mail.password.forget"), required=False)
    sender = MailAddressField(
        label=label("web.mail.sender"),
        help_text=label("web.mail.sender.help"),
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, data: Any = None, *, view: MailView) -> None:
        initial = {
            "host": view.host,
            "port": view.port,
            "encryption": view.encryption.value,
            "user": view.user,
            "sender": view.sender,
        }
        super().__init__(data, initial=initial)
        help_code = "web.mail.password.set" if view.has_password else "web.mail.password.none"
        self.fields["password"].help_text = label(help_code)
        if not view.has_password:
            del self.fields["forget_password"]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        encryption = Encryption(given.get("encryption") or Encryption.STARTTLS.value)
        given["encryption"] = encryption
        if not given.get("port") and "port" not in self.errors:
            given["port"] = PORTS[encryption]
        if given.get("password") and given.get("forget_password"):
            self.add_error("password", label("web.mail.password.both"))
        if given.get("host") and not given.get("sender") and "sender" not in self.errors:
            self.add_error("sender", label("web.mail.sender.missing"))
        return given

    @property
    def new_password(self) -> str | None:
        """What to set; None: as it is."""
        if self.cleaned_data.get("forget_password"):
            return ""
        return self.cleaned_data.get("password") or None


class TestMailForm(forms.Form):
    __test__ = False  # pytest is not meant
    address = MailAddressField(
        label=label("web.mail.test.address"),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={"required": label("web.mail.test.address.missing")},
    )


class MailTextForm(forms.Form):
    subject = forms.CharField(
        label=label("web.mail.text.subject"),
        max_length=LONGEST_SUBJECT,
        error_messages={
            "required": label("web.mail.text.missing"),
            "max_length": label("web.mail.text.subject.long"),
        },
    )
    body = forms.CharField(
        label=label("web.mail.text.body"),
        max_length=LONGEST_BODY,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 12}),
        error_messages={
            "required": label("web.mail.text.missing"),
            "max_length": label("web.mail.text.body.long"),
        },
    )

    def clean_body(self) -> str:
        """Return it with the line ends of mails' texts here: a browser sends CR LF."""
        return str(self.cleaned_data["body"]).replace("\r\n", "\n")
