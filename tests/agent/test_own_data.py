"""I10: what a loser recorded is kept as a local backup before anything may overwrite it, and told."""

import pytest

from beistand.agent.own_data import AGAIN_SECONDS
from beistand.domain.errors import NoSpace, Refused
from beistand.domain.job import JobState
from beistand.operations.keeping import kept, refuse_unkept
from beistand.protocol import BackupList, DeleteBackup, ListBackups
from fakes.agents import OneOfTwo, TwoAgents
from fakes.carrying import begun, with_files
from fakes.situations import B, grant


@pytest.fixture
def carrying(two: TwoAgents) -> TwoAgents:
    return with_files(two)


def supersede(two: TwoAgents) -> None:
    """B took over; a hears of it and withdraws."""
    two.b.store.adopt(grant(3, B, 2))
    two.turns(2)
    assert two.a.state == "superseded"


def keep(one: OneOfTwo) -> JobState | None:
    """One look of the loop; the state in which its job ended, None where it began none."""
    job = begun(one, one.agent.own_data.tick)
    return job.state if job else None


def codes(one: OneOfTwo) -> set[str]:
    return {each.code for each in one.agent.own_data.findings()}


def backups(one: OneOfTwo) -> BackupList:
    found = one.ask(ListBackups())
    assert isinstance(found, BackupList)
    return found


def test_who_was_taken_over_from_keeps_its_data_by_itself(carrying: TwoAgents) -> None:
    supersede(carrying)
    a = carrying.a
    assert codes(a) == {"own-data-being-kept"}
    assert keep(a) is JobState.DONE
    (backup,) = backups(a).backups
    assert backup.superseded_by == 3
    assert backup.generation.epoch == 2
    assert codes(a) == {"own-data-kept"}
    assert keep(a) is None


def test_nobody_else_keeps_anything(carrying: TwoAgents) -> None:
    """Neither the one that serves nor a standby that never did."""
    for each in (carrying.a, carrying.b):
        assert keep(each) is None
        assert codes(each) == set()


def test_it_waits_until_the_pbx_writes_no_more(carrying: TwoAgents) -> None:
    supersede(carrying)
    carrying.a.services.running.add("asterisk.service")
    assert keep(carrying.a) is None
    carrying.a.services.running.clear()
    assert keep(carrying.a) is JobState.DONE


def test_a_full_disk_is_told_and_tried_again(carrying: TwoAgents) -> None:
    supersede(carrying)
    a = carrying.a
    free = a.agent.wiring.backups.free

    def full() -> int:
        raise NoSpace("disk-full", path="/")

    a.agent.wiring.backups.free = full  # type: ignore[method-assign]
    assert keep(a) is JobState.FAILED
    assert codes(a) == {"own-data-not-yet-kept"}
    with pytest.raises(Refused, match="own-data-not-kept"):
        refuse_unkept(a.store)
    assert keep(a) is None
    a.agent.wiring.backups.free = free  # type: ignore[method-assign]
    carrying.clock.advance(AGAIN_SECONDS)
    assert keep(a) is JobState.DONE
    refuse_unkept(a.store)


def test_power_cut_between_the_file_and_its_note_makes_no_second_one(carrying: TwoAgents) -> None:
    supersede(carrying)
    assert keep(carrying.a) is JobState.DONE
    carrying.a.store.put("kept-own-data", b"")
    carrying.a.start()
    carrying.a.agent.reload()
    assert keep(carrying.a) is None
    assert len(backups(carrying.a).backups) == 1
    assert kept(carrying.a.store).epoch == 2


def test_a_person_lets_it_go_for_good(carrying: TwoAgents) -> None:
    supersede(carrying)
    assert keep(carrying.a) is JobState.DONE
    carrying.a.ask(DeleteBackup(id=backups(carrying.a).backups[0].id))
    carrying.clock.advance(AGAIN_SECONDS)
    assert keep(carrying.a) is None
    assert backups(carrying.a).backups == ()
    refuse_unkept(carrying.a.store)


def test_what_it_served_later_is_owed_anew(carrying: TwoAgents) -> None:
    supersede(carrying)
    assert keep(carrying.a) is JobState.DONE
    carrying.a.store.adopt(grant(4, carrying.a.me, 3))
    assert keep(carrying.a) is None
    refuse_unkept(carrying.a.store)
    carrying.a.store.adopt(grant(5, B, 4))
    with pytest.raises(Refused, match="own-data-not-kept"):
        refuse_unkept(carrying.a.store)
    carrying.a.agent.keeper.settle()
    assert keep(carrying.a) is JobState.DONE
    assert {each.generation.epoch for each in backups(carrying.a).backups} == {2, 4}
