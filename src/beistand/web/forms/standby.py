"""Forms of the tabs Standby-Einstellungen and Standby-Import (S13, S16, S20)."""

from ipaddress import AddressValueError, IPv4Address, IPv4Interface
from typing import Any

import msgspec
from django import forms

from beistand.domain.config import ModuleConfig
from beistand.domain.message import Message, message
from beistand.web.forms.refusals import in_full
from beistand.web.telling import label


def server_problem(server: str, own_address: str) -> Message | None:
    """Return why this cannot be the standby's own address, None if it can (S1).

    `own_address` is this appliance's, with its prefix length; empty: not known, nothing is compared.
    """
    try:
        address = IPv4Address(server)
    except AddressValueError:
        return message("standby-server-form", server=server)
    if not own_address:
        return None
    own = IPv4Interface(own_address)
    if address == own.ip:
        return message("standby-server-own", server=server)
    edges = (own.network.network_address, own.network.broadcast_address)
    if address not in own.network or address in edges:
        return message("standby-server-outside", server=server, subnet=str(own.network))
    return None


class StandbyForm(forms.Form):
    """Angaben zur Standby-Anlage, as far as they may be kept: the password comes with the confirmation."""

    user = forms.CharField(
        label=label("web.standby.user"),
        help_text=label("web.standby.user.help"),
        max_length=32,
        error_messages={"required": label("web.standby.user.missing")},
    )
    server = forms.CharField(
        label=label("web.standby.server"),
        help_text=label("web.standby.server.help"),
        max_length=64,
        error_messages={"required": label("web.standby.server.missing")},
    )

    def __init__(self, data: Any = None, *, own_address: str, **more: Any) -> None:
        super().__init__(data, **more)
        self._own_address = own_address

    def clean_server(self) -> str:
        server: str = self.cleaned_data["server"].strip()
        if problem := server_problem(server, self._own_address):
            raise forms.ValidationError(in_full(problem))
        return server


class PairForm(StandbyForm):
    """The second step: the host key was compared, and two passwords open the door once."""

    host_key = forms.CharField(widget=forms.HiddenInput)
    compared = forms.BooleanField(
        label=label("web.standby.compared"),
        error_messages={"required": label("web.standby.compared.missing")},
    )
    password = forms.CharField(
        label=label("web.standby.password"),
        help_text=label("web.standby.password.help"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        error_messages={"required": label("web.standby.password.missing")},
    )
    own_password = forms.CharField(
        label=label("web.standby.own-password"),
        help_text=label("web.standby.own-password.help"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": label("web.standby.own-password.missing")},
    )
    replace = forms.BooleanField(
        label=label("web.standby.replace"), help_text=label("web.standby.replace.help"), required=False
    )


class ReplugForm(forms.Form):
    """What has to be replugged by hand before a takeover, one a line (S20)."""

    replug = forms.CharField(
        label=label("web.standby.replug"),
        help_text=label("web.standby.replug.help"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def clean_replug(self) -> tuple[str, ...]:
        return tuple(each.strip() for each in self.cleaned_data["replug"].splitlines() if each.strip())

    def changed(self, config: ModuleConfig) -> ModuleConfig:
        return msgspec.structs.replace(config, replug=self.cleaned_data["replug"])


class ImportForm(forms.Form):
    """The second act of the first import: everything here is overwritten."""

    upload = forms.CharField(widget=forms.HiddenInput)
    generation = forms.CharField(widget=forms.HiddenInput)
    host = forms.CharField(label=label("web.import.host"), max_length=255)
    own_password = forms.CharField(
        label=label("web.standby.own-password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": label("web.standby.own-password.missing")},
    )

    def __init__(self, data: Any = None, *, host: str, **more: Any) -> None:
        super().__init__(data, **more)
        self._host = host
        self.fields["host"].error_messages = {"required": label("web.import.host.wrong")}

    def clean_host(self) -> str:
        typed: str = self.cleaned_data["host"].strip()
        if typed != self._host:
            raise forms.ValidationError(label("web.import.host.wrong"))
        return typed


class PassphraseForm(forms.Form):
    upload = forms.CharField(widget=forms.HiddenInput)
    passphrase = forms.CharField(
        label=label("web.import.passphrase"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        error_messages={"required": label("web.import.passphrase.missing")},
    )
