"""No batch is signed, shown or answered before every anchor elsewhere holds it.

So a folder that is put back whole, its own anchor with it, is told from the newest
one; a second writer gets no answer; and a silent anchor delays, and loses nothing.
"""

import shutil
import threading
from dataclasses import replace

import pytest

import ledger.log.sequencer
from ledger.errors import Halted, Held
from ledger.log.anchor import read_anchor, write_anchor
from ledger.log.home import Home
from ledger.log.kept import Kept
from ledger.log.log import Log
from ledger.log.look import look
from ledger.log.pool import Admitted
from ledger.log.remote import RemoteAnchors
from ledger.store import Head
from tests.livelog import ORIGIN, LiveLog
from tests.log.fakes import LONG_S
from tests.witness.anchors import AnchorService

TIME = 1_790_000_000


@pytest.fixture
def service(tmp_path):
    return AnchorService(tmp_path / "service", ORIGIN)


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch):
    monkeypatch.setattr(ledger.log.sequencer, "PAUSE_S", 0.02)


def anchored(folder, *services):
    """A log with these anchors, which have been up once."""
    urls = ", ".join(f'"{each.url}"' for each in services)
    settings = f'anchors = [{urls}]\nreach = ["127.0.0.1"]\n'
    live = LiveLog(folder, settings=settings)
    for each in services:
        give_token(live, "".join(f"{each.url} {each.token}\n" for each in services))
    return live


def give_token(live, text, mode=0o600):
    path = live.folder / "anchor.token"
    path.write_text(text)
    path.chmod(mode)


def kept_by(live):
    """What the anchors say that they hold."""
    home = Home.at(live.folder)
    with RemoteAnchors.of(home, ORIGIN) as remote:
        return [each.ask() for each in remote._remotes]


def hold_of(live):
    """Why the log is not written, if it is opened now."""
    with live.open() as log:
        return log.hold


def saved(folder):
    """The bytes of all files of a log, to be put back."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def put_back(files):
    """Write them into the files that are there, which nothing inside can tell."""
    for path, data in files.items():
        with open(path, "r+b") as file:
            file.truncate(0)
            file.write(data)


def test_what_was_answered_is_held(tmp_path, service):
    with service.up():
        live = anchored(tmp_path / "log", service)
        head = live.append(b"one", b"two").head
        root = head.root.hex()
        assert kept_by(live) == [Kept(batch=head.batch, size=2, root=root)]


def test_each_of_several_holds_it(tmp_path, service):
    other = AnchorService(tmp_path / "other", ORIGIN)
    with service.up(), other.up():
        live = anchored(tmp_path / "log", service, other)
        live.append(b"one")
        live.append(b"two")
        assert [each.size for each in kept_by(live)] == [2, 2]


def test_an_anchor_that_is_new_begins_with_what_is_there(tmp_path, service):
    with service.up():
        live = anchored(tmp_path / "log", service)
        assert kept_by(live) == [None]
        with live.open() as log:
            assert log.hold is None
        assert kept_by(live) == [Kept(batch=0, size=0, root=Head().root.hex())]


def test_an_anchor_that_was_left_out_is_brought_up(tmp_path, service):
    with service.up():
        live = anchored(tmp_path / "log", service)
        live.append(b"one")
    with live.open(without=[service.url]) as log:
        live.append(b"two", log=log)
    with service.up():
        assert [each.size for each in kept_by(live)] == [1]
        with live.open():
            assert [each.size for each in kept_by(live)] == [2]
        live.append(b"three")
    live.check()


def test_a_log_that_has_ended_stays_so(tmp_path, service):
    with service.up():
        live = anchored(tmp_path / "log", service)
        live.append(b"one")
        before = saved(live.folder)
        with live.open() as log:
            log.submit([], freeze=True).wait(LONG_S)
        assert hold_of(live).state == "frozen"
        put_back(before)
        assert hold_of(live).state == "rollback"


def second_history(live):
    """Put the log back whole, after more was answered, and go on with something else.

    What is signed of the same size, before and after.
    """
    live.append(b"one")
    before = saved(live.folder)
    first = live.append(b"two").checkpoint
    put_back(before)
    try:
        with live.open() as log:
            return first, log.append([b"another"]).checkpoint
    except Held as hold:
        return hold


def test_a_folder_that_is_put_back_whole_is_found_out(tmp_path, service):
    with service.up():
        live = anchored(tmp_path / "log", service)
        hold = second_history(live)
        assert hold.state == "rollback"
        assert service.url in str(hold)


def test_and_without_an_anchor_elsewhere_there_are_two_histories(tmp_path):
    first, second = second_history(LiveLog(tmp_path / "log"))
    assert first.splitlines()[:2] == second.splitlines()[:2]
    assert first != second


def test_another_history_of_the_same_size_is_found_out(tmp_path, service):
    with service.up():
        live = anchored(tmp_path / "log", service)
        before = saved(live.folder)
        live.append(b"one")
        put_back(before)
        with live.open(without=[service.url]) as log:
            log.append([b"another"])
        assert hold_of(live).state == "forked"
        with live.open(without=[service.url]) as log:
            log.append([b"and one more"])
        assert hold_of(live).state == "forked"


def test_one_that_is_silent_at_the_start_holds_the_log(tmp_path, service):
    with service.up():
        live = anchored(tmp_path / "log", service)
        live.append(b"one")
    with live.open() as log:
        assert log.hold.state == "anchor_silent"
        assert f"--without {service.url}" in log.hold.mend
        assert log.reading.entry(0) == b"one"
        with pytest.raises(Held):
            log.checkpoint()
    with live.open(without=[service.url]) as log:
        assert log.hold is None


@pytest.mark.parametrize("text", ["", "provlog_wrong\n", "a b c\n"])
def test_without_its_token_it_is_not_asked(tmp_path, service, text):
    with service.up():
        live = anchored(tmp_path / "log", service)
        give_token(live, text)
        assert hold_of(live).state == ("config" if "a" in text[:1] else "anchor_silent")


def test_a_token_that_others_can_read_is_refused(tmp_path, service):
    with service.up():
        live = anchored(tmp_path / "log", service)
        (live.folder / "anchor.token").chmod(0o644)
        assert hold_of(live).state == "config"
        (live.folder / "anchor.token").unlink()
        assert hold_of(live).state == "config"


def submitted(log, entry):
    return log.submit([Admitted(None, entry)])


def wait_for(condition):
    """Until it holds, which is soon."""
    for _ in range(1000):
        if condition():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it never came")


def silenced(live, service):
    """A log whose anchor fell silent while `b"two"` was under way, and that order."""
    with service.up():
        log = Log.open(live.folder)
        live.append(b"one", log=log)
    order = submitted(log, b"two")
    wait_for(lambda: log.hold)
    return log, order


def test_the_batch_waits_for_a_silent_anchor_and_reading_goes_on(tmp_path, service):
    with service.up():
        live = anchored(tmp_path / "log", service)
    log, order = silenced(live, service)
    with log:
        assert log.hold.state == "anchor_silent"
        with pytest.raises(Held, match="anchor"):
            submitted(log, b"three")
        # Signed is what is held everywhere, not what our own anchor holds already.
        assert read_anchor(Home.at(live.folder).anchor).size == 2
        assert live.saw(log.checkpoint()).size == 1
        assert live.saw(log.checkpoint(time=TIME)).size == 1
        assert log.head.size == 1
        log.resume()
        with service.up():
            live.remember(order.wait(LONG_S), [b"two"])
            assert log.hold is None
            live.append(b"three", log=log)
    assert live.check().size == 3


def test_closed_meanwhile_the_outcome_is_unknown_and_the_next_start_goes_on(
    tmp_path, service
):
    with service.up():
        live = anchored(tmp_path / "log", service)
    log, order = silenced(live, service)
    log.close()
    with pytest.raises(Halted, match="may or may not"):
        order.wait(LONG_S)
    with service.up():
        assert [each.size for each in kept_by(live)] == [1]
        # Beside a log that is at rest nothing is signed that is held here alone.
        with look(live.folder) as seen:
            assert seen.hold is None
            with pytest.raises(Held, match="does not hold size 2"):
                seen.checkpoint()
        with live.open() as log:
            assert log.head.size == 2
            assert [each.size for each in kept_by(live)] == [2]
        with look(live.folder) as seen:
            assert live.saw(seen.checkpoint()).size == 2
    live.check()


def test_of_two_writers_with_one_anchor_one_is_answered(tmp_path, service):
    with service.up():
        live = anchored(tmp_path / "log", service)
        live.append(b"one")
        clone = shutil.copytree(live.folder, tmp_path / "clone")
        home = Home.at(clone)
        held = replace(read_anchor(home.anchor), data=home.data_identity())
        write_anchor(home.anchor, held)  # as if it had been made to believe
        with live.open() as log, Log.open(clone) as other:
            assert (log.hold, other.hold) == (None, None)
            live.append(b"two", log=log)
            with pytest.raises(Halted, match="somebody else"):
                other.append([b"another"])
            assert other.hold.state == "halted"
            assert live.saw(other.checkpoint(time=TIME)).size == 1
            live.append(b"three", log=log)
        with Log.open(clone) as other:
            assert other.hold.state == "rollback"
            assert "somebody else" in str(other.hold)
    live.check()
