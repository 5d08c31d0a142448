"""Installing licences (S7): a file, its text, or a key that a file made known."""

from typing import Any

from django import forms

from beistand.domain.licence import is_key
from beistand.web.telling import label

LARGEST_FILE = 512 * 1024
"""Bytes; a licence takes a few hundred."""


class LicenceFileForm(forms.Form):
    """Valid with a file or with pasted text; `file_text` is what was given."""

    file = forms.FileField(
        label=label("web.licences.file"),
        help_text=label("web.licences.file.help"),
        required=False,
        error_messages={"empty": label("web.licences.file.empty")},
    )
    text = forms.CharField(
        label=label("web.licences.text"),
        required=False,
        max_length=LARGEST_FILE,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "autocomplete": "off"}),
        error_messages={"max_length": label("web.licences.file.large")},
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        self.file_text = str(given.get("text") or "").strip()
        file = given.get("file")
        # Of what came with more than a page takes, nothing was read.
        if file is not None and (file.size > LARGEST_FILE or not file.readable()):
            self.add_error("file", label("web.licences.file.large"))
        elif file is not None:
            try:
                self.file_text = file.read().decode("utf-8-sig")
            except UnicodeDecodeError:
                self.add_error("file", label("web.licences.file.no-text"))
        elif not self.errors and not self.file_text:
            self.add_error("file", label("web.licences.file.none"))
        return given


class LicenceKeyForm(forms.Form):
    key = forms.CharField(
        label=label("web.licences.key"),
        help_text=label("web.licences.key.help"),
        max_length=40,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "autocapitalize": "characters",
                "spellcheck": "false",
                "class": "mono",
            }
        ),
        error_messages={
            "required": label("web.licences.key.missing"),
            "max_length": label("web.licences.key.form"),
        },
    )

    def clean_key(self) -> str:
        """Return the key in capitals, without the spaces that a mail put around it."""
        key = "".join(str(self.cleaned_data["key"]).split()).upper()
        if not is_key(key):
            raise forms.ValidationError(label("web.licences.key.form"))
        return key
