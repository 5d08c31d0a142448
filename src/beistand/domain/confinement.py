"""What a PBX's unit may touch on its machine, as directives of systemd.exec(5).

A PBX starts as root and becomes its own account later. Files that its own account may write decide what it does
as root. So the system is read-only for it, apart from the folders of its profile, whatever those files say.
"""

from collections.abc import Iterator
from posixpath import dirname

from beistand.domain.profile import Engine, Profile, Service

# The others are needed: to bind ports, become the account, mark packets, have real-time priority, read its files.
_NEVER = (
    "CAP_SYS_ADMIN CAP_SYS_MODULE CAP_SYS_RAWIO CAP_SYS_BOOT CAP_SYS_PTRACE CAP_SYS_TIME CAP_SYS_PACCT "
    "CAP_SYSLOG CAP_MKNOD CAP_SETFCAP CAP_LINUX_IMMUTABLE CAP_MAC_ADMIN CAP_MAC_OVERRIDE CAP_AUDIT_CONTROL "
    "CAP_WAKE_ALARM CAP_BPF CAP_PERFMON CAP_CHECKPOINT_RESTORE"
)
# No ProtectClock, no PrivateDevices: both close /dev, where telephony cards are. No RestrictRealtime: `asterisk -p`.
_ALWAYS = (
    "ProtectSystem=strict",
    # Said again: with ProtectKernelTunables or ProtectControlGroups systemd 252 leaves /run writable (tried).
    "ReadOnlyPaths=/run",
    "ProtectHome=read-only",
    "ProtectKernelTunables=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelLogs=yes",
    "ProtectControlGroups=yes",
    "ProtectHostname=yes",
    "RestrictNamespaces=yes",
    "RestrictSUIDSGID=yes",
    "LockPersonality=yes",
    "SystemCallFilter=~@clock @module @mount @raw-io @reboot @swap",
    "SystemCallErrorNumber=EPERM",
    f"CapabilityBoundingSet=~{_NEVER}",
)


def confinement(profile: Profile, service: Service, set_id: str = "") -> tuple[str, ...]:
    """Return the directives of one unit; none for a unit whose profile does not say what it writes.

    `set_id` is a program with rights of its own here that this PBX has to run; empty: there is none.
    With one the PBX may still gain that program's rights: else no voicemail would leave by mail.
    """
    if not service.writes:
        return ()
    lines = [*_ALWAYS]
    if set_id:
        lines.append(
            f"# {_shown(set_id)} has rights of its own here, and the PBX runs it: no NoNewPrivileges."
        )
    else:
        lines.append("NoNewPrivileges=yes")
    if service.run_folder:
        lines += [f"RuntimeDirectory={service.run_folder}", "RuntimeDirectoryPreserve=yes"]
    lines += [f'ReadWritePaths="-{_quoted(each)}"' for each in _writable(profile, service)]
    return tuple(lines)


def _writable(profile: Profile, service: Service) -> list[str]:
    """Return the folders and files of the profile; one below another is in it already."""
    found = sorted({*_named(profile), *service.writes})
    return [
        each
        for each in found
        if each.isprintable() and not any(each.startswith(f"{other}/") for other in found if other != each)
    ]


def _named(profile: Profile) -> Iterator[str]:
    yield from (tree.path for tree in profile.trees)
    yield from (dirname(each.name) for each in profile.databases if each.engine is Engine.SQLITE)


def _quoted(path: str) -> str:
    # systemd.syntax(7): a percent sign begins a specifier.
    return path.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")


def _shown(path: str) -> str:
    return "".join(each if each.isprintable() else "?" for each in path)
