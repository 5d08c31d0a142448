"""A field for one mail address: what it takes gets mails, by the rule that the agent sends by."""

from typing import Any

from django import forms

from beistand.domain.mail_address import is_mail_address
from beistand.domain.message import message
from beistand.web.forms.refusals import in_full


class MailAddressField(forms.CharField):
    widget = forms.EmailInput

    def clean(self, value: Any) -> str:
        address = str(super().clean(value))
        if address and not is_mail_address(address):
            raise forms.ValidationError(in_full(message("mail-address-form", address=address)))
        return address
