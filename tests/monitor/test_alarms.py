"""An alarm is told until it is taken, over failures and crashes, under one id."""

import json
import sys

import pytest

from ledger.errors import Refused
from ledger.errors import Unavailable as NotKept
from ledger.monitor import rounds
from ledger.monitor.state import State
from ledger.monitor.telling import Address, Command, NotTold
from ledger.publish.webhook import Webhook
from tests.monitor.watching import Watching
from tests.testlog import TestLog
from verifier.errors import MalformedError


class Told:
    """Somebody who takes alarms, or does not."""

    def __init__(self):
        self.taken, self.deaf = [], False

    def tell(self, alarm, _now, /):
        if self.deaf:
            raise NotTold("it does not listen")
        self.taken.append(alarm)


@pytest.fixture
def made(tmp_path):
    made = TestLog(tmp_path / "log")
    made.append(*(b"%d" % at for at in range(20)))
    return made


def withhold(made):
    (made.folder / "tile/entries/000.p/20").unlink()


def test_who_does_not_take_it_is_told_again_and_others_are_not(made, tmp_path):
    deaf, other = Told(), Told()
    watching = Watching(made, tmp_path, channels=[deaf, other])
    withhold(made)
    deaf.deaf = True
    watching.round()
    watching.round()
    assert watching.troubles == ["an alarm is not told, and waits: it does not listen"]
    deaf.deaf = False
    watching.round()
    assert deaf.taken == other.taken
    assert len(deaf.taken) == 1
    assert watching.troubles[1:] == ["alarms are told again"]
    assert watching.state.outbox == []


def test_an_alarm_is_on_the_disk_before_anybody_is_told(made, tmp_path):
    class Crash(Told):
        def tell(self, _alarm, _now, /):
            raise KeyboardInterrupt

    channels = [Crash()]
    watching = Watching(made, tmp_path, channels=channels)
    withhold(made)
    with pytest.raises(KeyboardInterrupt):
        watching.round()
    channels[0] = Told()
    watching.start()
    watching.round()
    [alarm] = channels[0].taken
    assert {each["id"] for each in watching.said} == {alarm["id"]}


@pytest.mark.parametrize("stop", range(1, 6))
def test_wherever_it_is_killed_the_alarm_is_told(made, tmp_path, monkeypatch, stop):
    """Each write of a file is the last thing that one process does."""
    told = Told()
    watching = Watching(made, tmp_path, channels=[told])
    withhold(made)
    real, left = rounds.write_atomically, [stop]

    def write(path, data):
        real(path, data)
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt

    monkeypatch.setattr(rounds, "write_atomically", write)
    for _ in range(3):
        try:
            watching.round()
        except KeyboardInterrupt:
            watching.start()
    assert left[0] <= 0
    assert {each["kind"] for each in told.taken} == {"missing"}
    assert len({each["id"] for each in told.taken}) == 1


def test_a_state_that_cannot_be_written_is_not_the_logs_silence(made, tmp_path):
    watching = Watching(made, tmp_path)
    (tmp_path / "state.watch").mkdir()
    with pytest.raises(NotKept, match="cannot be written"):
        watching.round()


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{}", b'{"schema": "provlog/watch/2"}']
    + [
        b'{"schema": "provlog/watch/1", %s}' % each
        for each in (
            b'"looked": -1',
            b'"looked": "1"',
            b'"active": {"a": 1}',
            b'"places": {"x": "missing"}',
            b'"outbox": [{}]',
            b'"more": 1',
        )
    ],
)
def test_a_file_that_is_no_state_is_named(data):
    with pytest.raises(MalformedError):
        State.parse(data)


# Commands


def script(folder, text):
    path = folder / "command.py"
    path.write_text(text)
    return f"{sys.executable} {path}"


def test_a_command_gets_one_object_and_no_shell(tmp_path):
    text = "import sys; open(sys.argv[1], 'w').write(sys.stdin.read())"
    command = f"{script(tmp_path, text)} '{tmp_path}/$(id) ; out'"
    Command(command).tell({"says": "`id`"}, 0)
    assert json.loads((tmp_path / "$(id) ; out").read_text()) == {"says": "`id`"}


def test_a_command_that_fails_has_not_been_told(tmp_path):
    with pytest.raises(NotTold, match="status 3"):
        Command(script(tmp_path, "raise SystemExit(3)")).tell({}, 0)


def test_a_command_that_is_gone_has_not_been_told(tmp_path):
    program = tmp_path / "page"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    command = Command(str(program))
    program.unlink()
    with pytest.raises(NotTold, match="cannot be started"):
        command.tell({}, 0)


def test_a_command_that_does_not_end_is_ended(tmp_path):
    command = script(tmp_path, "import time; time.sleep(60)")
    with pytest.raises(NotTold, match=r"more than 0\.1 s"):
        Command(command, patience_s=0.1).tell({}, 0)


@pytest.mark.parametrize("text", ["", "'open", "/nowhere/page", "no-such-program -x"])
def test_what_is_no_command_is_refused_at_once(text):
    with pytest.raises(Refused):
        Command(text)


def test_an_address_that_may_not_be_reached_has_not_been_told():
    address = Address(Webhook("http://127.0.0.1:1", bytes(32)))
    with pytest.raises(NotTold, match="reach"):
        address.tell({"id": "a"}, 0)
