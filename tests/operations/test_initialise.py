"""What `init` makes of its answers."""

import pytest

from beistand.domain.role import Role
from beistand.operations.initialise import installation_for
from beistand.protocol import Init
from beistand.text.catalogue import language

ASKED = Init(
    role=Role.STANDBY,
    interface="eth0",
    own_address="192.0.2.1/24",
    service_address="192.0.2.9",
    profile="asterisk",
)


@pytest.mark.parametrize("spoken", ["de", "en"])
def test_mails_are_in_the_language_in_which_it_was_set_up(spoken: str) -> None:
    """S21: the language of the installation, whatever the system's own is."""
    asked = Init(**{name: getattr(ASKED, name) for name in ASKED.__struct_fields__} | {"language": spoken})
    assert language(installation_for(asked).language) == spoken
