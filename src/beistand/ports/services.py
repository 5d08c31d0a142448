"""The telephone system on this machine."""

from collections.abc import Sequence
from typing import Protocol

from beistand.domain.phones import Contact, Dated
from beistand.domain.profile import Profile, Service


class Services(Protocol):
    """Units of the system's service manager, behind the gate /run/beistand/may-serve."""

    def is_running(self, unit: str) -> bool:
        """Tell whether the unit is active; a skipped or failed one is not (`systemctl start` returns 0 for both)."""

    def start(self, service: Service) -> None:
        """Start it and see it active. Does nothing if it runs. Raises Failed `service-not-started` with the cause."""

    def stop(self, service: Service) -> None:
        """Stop it and see it inactive. Raises Failed `service-not-stopped`."""

    def open_gate(self) -> None:
        """Let the units start. Survives an agent restart, never a boot."""

    def close_gate(self) -> None: ...

    def gate_is_open(self) -> bool: ...

    def install_gate(self, profile: Profile) -> None:
        """Put the drop-in with `ExecCondition` and what the unit may touch beside every unit of the profile.

        Does nothing where it stands there already. A unit that runs is touched by it at its next start only.
        """

    def remove_gate(self, profile: Profile) -> None:
        """Take the drop-ins away again: a machine that is no appliance starts its PBX by itself."""

    def ungate(self, unit: str) -> None:
        """Take the drop-in of one unit away, durably: nothing but its own settings decide then whether it starts."""

    def gated(self) -> tuple[str, ...]:
        """Return the units that have a drop-in of Beistand's."""

    def starts_at_boot(self, unit: str) -> bool:
        """Tell whether a boot may start the unit: anything but switched off counts as yes."""

    def enable(self, unit: str) -> None:
        """Let a boot start it. Raises CommandFailed."""

    def disable(self, unit: str) -> None:
        """Let no boot start it; one that runs goes on. What others need it for may start it all the same."""

    def version(self, profile: Profile) -> str:
        """Return the first line of what the profile's version command prints; empty if it cannot be run."""

    def start_options(self, profile: Profile) -> tuple[str, ...]:
        """Return what root reads when the units start, as `domain/start_options` reads it; empty: nothing to read."""


class Contacts(Protocol):
    """The registered phones in the live database."""

    def list(self, profile: Profile) -> tuple[Contact, ...]:
        """Return them; empty where the profile has none or the database is missing."""

    def renew(self, profile: Profile, dated: Dated) -> int:
        """Give every contact that survives a start an expiry in the future; only while the PBX is stopped.

        A contact lives as long as it would have, and one whose time ran out in the outage for LEAST_SECONDS to
        MOST_SECONDS: as long as the outage and what was left of its term at `dated`. Return how many.
        Raises Failed `contacts-not-renewed`.
        """


class PbxConsole(Protocol):
    """The command line of the running PBX."""

    def ask(self, socket: str, commands: Sequence[str], seconds: float) -> str:
        """Run the commands in their order and return what they print together.

        Raises Failed `pbx-not-asked` where nobody answers within so many seconds, or where the answer is longer
        than anybody asked for.
        """
