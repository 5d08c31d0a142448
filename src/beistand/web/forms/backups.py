"""Forms of the page Backups (S14)."""

from datetime import time
from typing import Any

import msgspec
from django import forms

from beistand.domain.config import ModuleConfig
from beistand.web.forms.module import whole_number
from beistand.web.forms.refusals import tell_at
from beistand.web.forms.schedule import ScheduleForm, meet_problem
from beistand.web.telling import label

MOST_BACKUPS = 1000


class NewBackupForm(forms.Form):
    """Make a backup now; with a passphrase the file is encrypted."""

    passphrase = forms.CharField(
        label=label("web.backups.passphrase"),
        help_text=label("web.backups.passphrase.help"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=label("web.backups.passphrase-again"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("passphrase", "") != given.get("again", ""):
            self.add_error("again", label("web.backups.passphrase.differs"))
        return given


class BackupScheduleForm(ScheduleForm):
    """When a backup is made by itself, and how many of these stay."""

    usual_time = time(3, 30)
    """Not the minute of an hourly cycle: the two must never meet (S12)."""
    keep_backups = whole_number("web.backups.keep", 1, MOST_BACKUPS)

    def __init__(self, data: Any = None, *, config: ModuleConfig, **when: Any) -> None:
        super().__init__(
            data, saved=config.backup_schedule, initial={"keep_backups": config.keep_backups}, **when
        )
        self._config = config

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if problem := meet_problem(self, self._config.schedule):
            tell_at(self, problem)
        return given

    def changed(self, config: ModuleConfig) -> ModuleConfig:
        """Return the configuration with what was entered here."""
        return msgspec.structs.replace(
            config, backup_schedule=self.schedule, keep_backups=self.cleaned_data["keep_backups"]
        )
