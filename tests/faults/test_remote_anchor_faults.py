"""Whatever fails between a log and its anchors elsewhere, there is one history.

The writer is killed at each step, the network is cut in the midst of a question, the
service is started anew, put back, or is not what it says: what was answered stays,
and nothing is answered that the anchors do not hold.
"""

import json
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

import ledger.log.sequencer
from ledger.errors import Halted
from ledger.http.anchoring import _Answers
from ledger.http.small import Reply, small_server
from ledger.log.anchor import read_anchor, write_anchor
from ledger.log.home import Home
from ledger.log.log import Log
from ledger.store.table import Table
from tests.faults.kill_rounds import ROOT
from tests.faults.remote_writer import STEPS
from tests.livelog import ORIGIN
from tests.log.fakes import LONG_S
from tests.log.test_remote_anchor import anchored, kept_by, submitted, wait_for
from tests.witness.anchors import AnchorService

ELSEWHERE = 2
"""Anchors of the log whose writer is killed."""


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch):
    monkeypatch.setattr(ledger.log.sequencer, "PAUSE_S", 0.02)


@pytest.fixture
def service(tmp_path):
    return AnchorService(tmp_path / "service", ORIGIN)


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """One log, whose writers are killed one after another, and its two anchors."""
    folder = tmp_path_factory.mktemp("killed")
    services = [AnchorService(folder / name, ORIGIN) for name in ("a", "b")]
    with services[0].up(), services[1].up():
        live = anchored(folder / "log", *services)
        live.append(b"first")
        yield live


LOST = {"before the commit"}
HELD_NOWHERE = {
    *LOST,
    "after the commit",
    "before our own anchor",
    "after our own anchor",
    "before the anchors elsewhere",
    "before the question",
}


@pytest.mark.exhaustive
@pytest.mark.parametrize("step", STEPS)
def test_killed_there_the_next_start_goes_on(killed, step):
    with killed.open() as log:
        before = log.head.size
    words = [sys.executable, "-m", "tests.faults.remote_writer"]
    words += [str(killed.folder), step, step]
    ended = subprocess.run(words, cwd=ROOT, check=False)
    assert ended.returncode == -signal.SIGKILL
    here = read_anchor(Home.at(killed.folder).anchor).size
    there = [each.size for each in kept_by(killed)]
    # Never is anything held elsewhere that is not held here.
    assert max(there) <= here
    assert (max(there) > before) == (step not in HELD_NOWHERE)
    with killed.open() as log:
        assert log.hold is None
        assert log.head.size == before + (step not in LOST)
        assert [each.size for each in kept_by(killed)] == [log.head.size] * ELSEWHERE
        killed.append(b"after", log=log)
    killed.check()


def faulty(spoil):
    """A face of the service that spoils what `spoil` makes of question and answer."""

    def face(anchoring, threads):
        answers = _Answers(anchoring, threads)

        async def answer(asking):
            return await spoil(answers, asking)

        return small_server(answer, most_body=4096)

    return face


def lost(times):
    """Takes the question, and loses the answer, so often."""
    left = [times]

    async def spoil(answers, asking):
        reply = await answers.answer(asking)
        if asking.method == "POST" and left[0]:
            left[0] -= 1
            return Reply(status=502)
        return reply

    return spoil


def always(status=200, body=b"", content_type="application/json"):
    async def spoil(answers, asking):
        if asking.method == "POST":
            return Reply(status=status, body=body, content_type=content_type)
        return await answers.answer(asking)

    return spoil


def test_who_has_lost_the_answer_knows_its_own_batch_again(tmp_path, service):
    with service.up():
        live = anchored(tmp_path / "log", service)
        live.append(b"one")
    with service.up(faulty(lost(3))), live.open() as log:
        live.append(b"two", log=log)
        assert log.hold is None
        live.append(b"three", log=log)
    live.check()


def test_a_service_that_is_started_anew_is_gone_on_with(tmp_path, service):
    with service.up():
        live = anchored(tmp_path / "log", service)
        log = Log.open(live.folder)
        live.append(b"one", log=log)
    with log, service.up():
        live.append(b"two", log=log)
        assert log.hold is None
    live.check()


KEPT = {"origin": ORIGIN, "batch": 1, "size": 1, "root": "00" * 32}
NO_ANSWERS = {
    "a fault": always(500),
    "no room": always(503),
    "nothing": always(404),
    "a portal": always(200, b"<html>", "text/html"),
    "empty": always(200),
    "elsewhere": always(302),
    "another log": always(200, json.dumps(KEPT | {"origin": "x"}).encode()),
    "yes, and it holds another": always(200, json.dumps(KEPT).encode()),
    "no, and it holds nothing": always(409, b"null"),
    "a flood": always(200, b" " * 10_000),
}


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory):
    """A log of size 1, and its anchor, which are only looked at."""
    folder = tmp_path_factory.mktemp("spoiled")
    service = AnchorService(folder / "service", ORIGIN)
    with service.up():
        live = anchored(folder / "log", service)
        live.append(b"one")
    return live, service


@pytest.mark.parametrize("name", NO_ANSWERS)
def test_what_is_no_answer_is_silence(spoiled, name):
    live, service = spoiled
    wrong = [True]

    async def spoil(answers, asking):
        if wrong[0]:
            return await NO_ANSWERS[name](answers, asking)
        return await answers.answer(asking)

    with service.up(faulty(spoil)), live.open() as log:
        order = submitted(log, name.encode())
        wait_for(lambda: log.hold)
        assert log.hold.state == "anchor_silent"
        wrong[0] = False
        live.remember(order.wait(LONG_S), [name.encode()])
        assert log.hold is None


def test_one_that_holds_what_nobody_put_there_stops_the_log(spoiled):
    live, service = spoiled
    other = always(409, json.dumps(KEPT | {"size": 9, "batch": 9}).encode())
    with service.up(faulty(other)), live.open() as log:
        with pytest.raises(Halted, match="may or may not"):
            log.append([b"another"])
        assert log.hold.state == "halted"
    # Nothing had happened, though: the next start looks, and takes it on.
    with service.up(), live.open() as log:
        assert log.hold is None
    live.check()


def test_a_service_that_was_put_back_is_not_believed(tmp_path, service):
    with service.up():
        live = anchored(tmp_path / "log", service)
        data = service.home.memory / "table" / "data.mdb"
        live.append(b"one")
        before = data.read_bytes()
        log = Log.open(live.folder)
        live.append(b"two", log=log)
    data.write_bytes(before)
    path = service.home.memory / "anchor"
    with Table(service.home.memory / "table") as table:
        write_anchor(path, read_anchor(path).at(table.head))
    with log, service.up():
        with pytest.raises(Halted, match="may or may not"):
            log.append([b"three"])
        assert log.hold.state == "halted"


def test_a_service_sends_others_away_reads_on_and_goes_on(
    tmp_path, service, new_service
):
    with service.up():
        live = anchored(tmp_path / "log", service)
        live.append(b"one")
        running = new_service(live)

    def state():
        return running.ask("GET", "/readyz", operations=True).json["state"]

    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(running.post, "/add", b"two")
        wait_for(lambda: state() == "anchor_silent")
        refused = running.post("/add", b"three")
        assert (refused.status, refused.json["check"]) == (503, "anchor_silent")
        shown = running.ask("GET", "/checkpoint")
        assert live.saw(shown.body).size == 1
        with service.up():
            answer = waiting.result(LONG_S)
            assert (answer.status, answer.body) == (200, b"1")
            wait_for(lambda: state() == "writes")
            assert running.post("/add", b"three").body == b"2"
    running.stop()
    assert live.check().size == 3
