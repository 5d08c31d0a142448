"""Forms of Module → Redundanz: Allgemein, Einstellungen (S8, S9)."""

from typing import Any

import msgspec
from django import forms

from beistand.domain.config import LogLevel, ModuleConfig
from beistand.domain.licence import is_key
from beistand.domain.message import message
from beistand.web.forms.mail_address import MailAddressField
from beistand.web.forms.refusals import in_full, tell_at
from beistand.web.forms.schedule import ScheduleForm, meet_problem
from beistand.web.telling import label

LONGEST_NAME = 80
MOST_ATTEMPTS = 1000
MOST_RESTORE_POINTS = 100


def whole_number(code: str, least: int, most: int) -> forms.IntegerField:
    """Return a field for a number between the two; one sentence says what is wrong with anything else."""
    wrong = dict.fromkeys(("required", "invalid", "min_value", "max_value"), label(f"{code}.wrong"))
    return forms.IntegerField(
        label=label(code),
        help_text=label(f"{code}.help"),
        min_value=least,
        max_value=most,
        error_messages=wrong,
    )


class GeneralForm(forms.Form):
    """Allgemein: name, active or inactive, logging."""

    name = forms.CharField(
        label=label("web.module.name"),
        max_length=LONGEST_NAME,
        error_messages={
            "required": label("web.module.name.missing"),
            "max_length": label("web.module.name.long"),
        },
    )
    active = forms.BooleanField(
        label=label("web.module.active"), help_text=label("web.module.active.help"), required=False
    )
    log = forms.BooleanField(
        label=label("web.module.log"), help_text=label("web.module.log.help"), required=False
    )
    log_level = forms.ChoiceField(
        label=label("web.module.log-level"),
        help_text=label("web.module.log-level.help"),
        choices=[(each.value, label(f"web.module.log-level.{each.value}")) for each in LogLevel],
    )

    def __init__(self, data: Any = None, *, config: ModuleConfig) -> None:
        super().__init__(
            data,
            initial={
                "name": config.name,
                "active": config.active,
                "log": config.log,
                "log_level": config.log_level.value,
            },
        )

    def changed(self, config: ModuleConfig) -> ModuleConfig:
        """Return the configuration with what was entered here."""
        given = self.cleaned_data
        return msgspec.structs.replace(
            config,
            name=given["name"].strip(),
            active=given["active"],
            log=given["log"],
            log_level=LogLevel(given["log_level"]),
        )


class SettingsForm(ScheduleForm):
    """Einstellungen: four questions with their fields, and what the standby keeps."""

    licence_key = forms.CharField(
        label=label("web.module.licence-key"), help_text=label("web.module.licence-key.help"), required=False
    )
    attempts = whole_number("web.module.attempts", 1, MOST_ATTEMPTS)
    send_mail = forms.BooleanField(
        label=label("web.module.send-mail"), help_text=label("web.module.send-mail.help"), required=False
    )
    mail_address = MailAddressField(
        label=label("web.module.mail-address"),
        help_text=label("web.module.mail-address.help"),
        required=False,
    )
    keep_generations = whole_number("web.module.keep", 1, MOST_RESTORE_POINTS)
    bandwidth_limit = whole_number("web.module.bandwidth", 0, 10_000_000)

    def __init__(self, data: Any = None, *, config: ModuleConfig, **when: Any) -> None:
        super().__init__(
            data,
            saved=config.schedule,
            initial={
                "licence_key": config.licence_key,
                "attempts": config.attempts,
                "send_mail": config.send_mail,
                "mail_address": config.mail_address,
                "keep_generations": config.keep_generations,
                "bandwidth_limit": config.bandwidth_limit,
            },
            **when,
        )
        self._config = config

    def clean_licence_key(self) -> str:
        key: str = self.cleaned_data["licence_key"].strip().upper()
        if key and not is_key(key):
            raise forms.ValidationError(in_full(message("licence-key-form", key=key)))
        return key

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if given.get("send_mail") and not given.get("mail_address") and "mail_address" not in self.errors:
            tell_at(self, message("mail-address-missing"))
        if problem := meet_problem(self, self._config.backup_schedule):
            tell_at(self, problem)
        return given

    def changed(self, config: ModuleConfig) -> ModuleConfig:
        """Return the configuration with what was entered here."""
        given = self.cleaned_data
        names = (
            "licence_key",
            "attempts",
            "send_mail",
            "mail_address",
            "keep_generations",
            "bandwidth_limit",
        )
        return msgspec.structs.replace(
            config, schedule=self.schedule, **{name: given[name] for name in names}
        )
