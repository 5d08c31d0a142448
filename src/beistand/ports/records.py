"""What the telephone system recorded since a moment, for a person who has to choose between two histories."""

from datetime import datetime
from typing import Protocol

from beistand.domain.fork import Recorded
from beistand.domain.profile import Profile


class Records(Protocol):
    def since(self, profile: Profile, moment: datetime) -> Recorded:
        """Count what the profile's trees and records hold that is newer. What cannot be read is left out."""
