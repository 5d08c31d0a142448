"""What the PBX files of the lab's house say."""

from beistand_lab import house
from beistand_lab.house import House

_MAIL_HOST = "10.0.0.9"


def _files(**fields: object) -> dict[str, str]:
    texts = house.files(House(**fields), _MAIL_HOST)  # type: ignore[arg-type]
    return {path.removeprefix("/etc/asterisk/"): text for path, text in texts.items()}


def test_a_house_has_what_an_office_has() -> None:
    files = _files()
    assert files["pjsip.conf"].count("(house-contacts)\n") == 200
    assert files["extensions.conf"].count(",hint,PJSIP/1") == 203
    assert files["queues.conf"].count("member => PJSIP/100") == 10
    assert files["voicemail.conf"].count("@lab.example\n") == 3 + 40
    assert "autoload = yes" in files["modules.conf"]


def test_the_labs_own_phones_are_in_it() -> None:
    files = _files()
    for number in (101, 102, 103):
        assert f"\n[{number}](phone)\n" in files["pjsip.conf"]
    assert "exten => _10X,1," in files["extensions.conf"]


def test_lamps_are_those_of_the_first_phones() -> None:
    assert House(lamps=2).watched == ((1100, 1000), (1101, 1001))


def test_each_trunk_registers_at_a_port_of_its_own_and_at_once() -> None:
    text = _files()["pjsip.conf"]
    for place in range(3):
        assert f"server_uri = sip:{_MAIL_HOST}:{5071 + place}\n" in text
    assert text.count("max_random_initial_delay = 0\n") == 3


def test_trunks_may_be_left_as_slow_as_they_are_by_default() -> None:
    assert "max_random_initial_delay" not in _files(trunks_register_at_once=False)["pjsip.conf"]


def test_contacts_are_as_told_and_else_as_the_labs_own() -> None:
    assert "[house-contacts](!,contacts)\nqualify_frequency = 60\n\n" in _files()["pjsip.conf"]
    text = _files(max_contacts=5, remove_existing=False, maximum_expiration=3600, qualify=0)["pjsip.conf"]
    lines = "qualify_frequency = 0\nmax_contacts = 5\nremove_existing = no\nmaximum_expiration = 3600\n"
    assert f"[house-contacts](!,contacts)\n{lines}\n" in text


def test_a_small_house_loads_each_module_once() -> None:
    text = _files(all_modules=False)["modules.conf"]
    loaded = [line for line in text.splitlines() if line.startswith("load")]
    assert "load = app_queue.so" in loaded
    assert len(loaded) == len(set(loaded))


def test_a_house_without_trunks_calls_nobody_outside() -> None:
    files = _files(trunks=0)
    assert "trunk0" not in files["pjsip.conf"] + files["extensions.conf"]
