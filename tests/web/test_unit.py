"""F18: what systemd keeps from the web process. Its effect was looked at on a machine; here nobody loses it unseen."""

from pathlib import Path

import pytest

UNIT = (Path(__file__).parents[2] / "packaging/beistand-web.service").read_text().splitlines()


@pytest.mark.shows("F18")
@pytest.mark.parametrize(
    "line",
    [
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=",
        "ProtectSystem=strict",
        "ProtectProc=invisible",
        # Call records, logs and voicemail stand readable for all on many PBXs.
        "TemporaryFileSystem=/var/lib:ro /var/spool:ro /var/log:ro",
        "BindPaths=/var/lib/beistand-web",
    ],
)
def test_the_web_process_sees_nothing_of_others(line: str) -> None:
    assert line in UNIT


@pytest.mark.parametrize("path", ["/etc/beistand", "/etc/asterisk", "/run/dbus", "/var/backups"])
def test_what_lies_elsewhere_is_hidden_too(path: str) -> None:
    (hidden,) = (each for each in UNIT if each.startswith("InaccessiblePaths="))
    assert f"-{path}" in hidden.removeprefix("InaccessiblePaths=").split()
