"""What records mean stands in their log: the schema is there before the next record."""

import pytest

from ledger.log.log import Log
from ledger.log.own import freeze, schema_publish
from ledger.schema.profile import Profile
from ledger.upkeep.meaning import missing_rules
from tests.livelog import FIRST
from tests.log.fakes import SetClock, body
from tests.profiles import HOUSE
from tests.upkeep.spoil import is_sound
from verifier import Entry
from verifier.own import parse_own


@pytest.fixture
def older(new_log):
    """A record log of one record, from before logs entered their schema."""
    log = new_log(kind="record", older=True)
    log.append(body(0))
    return log


def entered(log):
    """Enter what is missing, as those who write to a log do."""
    for each in missing_rules(log):
        log.submit([each]).wait()


def owns(log):
    """What the log says itself, by index."""
    entries = map(Entry.parse, log.reading.entries(0, log.head.size))
    found = [(n, each) for n, each in enumerate(entries) if each.by == "log"]
    return {index: parse_own(each)["kind"] for index, each in found}


def test_an_older_log_gets_it_behind_the_records_that_it_has(older):
    with older.open() as log:
        entered(log)
        assert older.append(body(1), log=log).indexes == [3]
        assert owns(log) == {0: "genesis", 2: "schema.publish"}
    assert is_sound(older.folder)


def test_it_gets_it_once(older):
    for _ in range(2):
        with older.open() as log:
            entered(log)
            entered(log)
    with older.open() as log:
        assert owns(log) == {0: "genesis", 2: "schema.publish"}
        assert older.submit(log, [schema_publish()]).indexes == [2]


def test_a_log_that_has_it_from_its_birth_gets_no_other(new_log):
    log = new_log(kind="record")
    with log.open() as opened:
        entered(opened)
        assert opened.head.size == FIRST


@pytest.mark.parametrize("kind", ["statement", "opaque"])
def test_a_log_without_records_gets_none(new_log, kind):
    with new_log(kind=kind).open() as log:
        entered(log)
        log.submit([]).wait()
        assert log.head.size == 0


def test_a_log_that_has_ended_stays_as_it_is(older):
    with older.open() as log:
        log.submit([freeze("the end")], freeze=True).wait()
    with older.open() as log:
        entered(log)
        assert owns(log) == {0: "genesis", 2: "freeze"}


def test_a_log_that_is_held_is_left_alone(older):
    with Log.open(older.folder, clock=SetClock(wall_ms=2**40)) as log:
        assert log.hold
        entered(log)
        assert owns(log) == {0: "genesis"}


# Profiles


def set_to(live, names):
    """Open the log with these profiles, as somebody does who writes to it."""
    (live.folder / "log.toml").write_text(f"min_free_bytes = 0\nprofiles = {names}\n")
    with live.open() as log:
        entered(log)
        entries = map(Entry.parse, log.reading.entries(FIRST, log.head.size))
        return [parse_own(each) for each in entries]


def test_a_profile_is_entered_once_and_a_new_version_of_it_again(new_log):
    live = new_log(kind="record")
    for text in (HOUSE, HOUSE, HOUSE.replace('"1"', '"2"', 1)):
        (live.folder / "house.toml").write_text(text)
        own = set_to(live, '["house.toml"]')
    rules = [(each["kind"], each.get("version", "")) for each in own]
    published, applied = "profile.publish", ("rules.apply", "")
    assert rules == [(published, "1"), applied, (published, "2"), applied]
    assert own[0]["toml"] == HOUSE


def test_which_profiles_are_demanded_from_where_on_stands_in_the_log(new_log):
    live = new_log(kind="record")
    (live.folder / "house.toml").write_text(HOUSE)
    digest = Profile.parse(HOUSE.encode()).digest
    for names in ('["house.toml"]', "[]", "[]", '["house.toml"]', '["house.toml"]'):
        own = set_to(live, names)
    applied = [each for each in own if each["kind"] == "rules.apply"]
    assert [each["number"] for each in applied] == [0, 1, 2]
    assert [each["profiles"] for each in applied] == [[digest], [], [digest]]
    assert is_sound(live.folder)
