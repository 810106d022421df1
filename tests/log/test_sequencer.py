"""Commit, anchor, sign, answer: in this order, whatever fails, and whoever looks."""

import sys
import threading
from dataclasses import dataclass, field

import pytest

from ledger.errors import Halted, Held, Unavailable
from ledger.log.anchor import read_anchor
from ledger.log.log import Log
from ledger.log.pool import Admitted, Order
from ledger.store.memory import STEPS
from tests.log.fakes import (
    LONG_S,
    NOW_MS,
    Bench,
    SlowStore,
    entries_of,
    head_of,
    numbered,
)

ORDER = ["store", "check", "stored", "anchor", "sign", "answer"]


@dataclass
class Recording:
    """Writes down who is called, what is durable then, and what a reader may see."""

    bench: Bench
    steps: list = field(default_factory=list)
    seen: list = field(default_factory=list)
    stop_at: str = ""

    def __post_init__(self):
        store, sequencer = self.bench.store, self.bench.sequencer
        self.append, store.append = store.append, self.store
        sequencer._anchor, sequencer._signer = self, self
        self.held = self.bench.anchor.held

    def step(self, name):
        self.steps.append(name)
        shown = self.bench.sequencer.answered
        self.seen.append((name, shown.head.size, self.held.size))
        if name == self.stop_at:
            raise OSError(f"{name} fails")

    def store(self, batch, check):
        self.step("store")

        def checked(snapshot):
            self.step("check")
            check(snapshot)

        self.append(batch, checked)
        self.step("stored")

    def advance(self, head):
        self.step("anchor")
        self.bench.anchor.advance(head)
        self.held = self.bench.anchor.held

    def sign(self, held, **options):
        self.step("sign")
        assert held == self.bench.anchor.held
        return self.bench.signer.sign(held, **options)

    def order(self, *entries):
        """An order whose answer is a step, too."""
        recording = self

        class Told(Order):
            def settle(self, outcome):
                recording.step("answer")
                super().settle(outcome)

        told = Told([Admitted(None, entry) for entry in entries])
        self.bench.sequencer.pool.put(told)
        return told


@pytest.fixture
def bench(tmp_path):
    with Bench(tmp_path) as bench:
        yield bench


@pytest.fixture
def narrow():
    """Threads take turns as often as they can, so that they meet in narrow places."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


# The order of things


def test_each_step_follows_the_one_that_makes_it_true(bench):
    recording = Recording(bench)
    for number in range(1, 4):
        assert recording.order(b"entry").wait(LONG_S).head.batch == number
        assert recording.steps == ORDER * number


def test_nobody_sees_a_head_before_it_is_signed_or_above_the_anchor(bench):
    recording = Recording(bench)
    recording.order(*numbered(2)).wait(LONG_S)
    recording.order(*numbered(3)).wait(LONG_S)
    # Who is called, the size that readers see, the size in the anchor.
    assert recording.seen[6:] == [
        ("store", 2, 2),
        ("check", 2, 2),
        ("stored", 2, 2),
        ("anchor", 2, 2),
        ("sign", 2, 5),
        ("answer", 5, 5),
    ]


@pytest.mark.parametrize("stop_at", ORDER[:-1])
def test_what_fails_keeps_all_later_steps_from_happening(tmp_path, stop_at):
    with Bench(tmp_path) as bench:
        recording = Recording(bench, stop_at=stop_at)
        with pytest.raises(Halted, match=f"{stop_at} fails"):
            recording.order(b"entry").wait(LONG_S)
        assert recording.steps == [*ORDER[: ORDER.index(stop_at) + 1], "answer"]
        assert bench.sequencer.answered.head.size == 0
        assert bench.anchor.held.size == (1 if stop_at == "sign" else 0)


def test_the_signature_is_one_of_what_the_anchor_holds(bench):
    answer = bench.append(*numbered(3))
    assert bench.signer.sign(bench.anchor.held) == answer.checkpoint
    assert bench.anchor.held.root == answer.head.root == head_of(bench.store).root


# Faults of the store


@pytest.mark.parametrize("step", ["begin", "write"])
def test_what_has_not_happened_is_said_so_and_the_log_goes_on(bench, step):
    bench.store.order(step, Unavailable("full", "no room"))
    with pytest.raises(Unavailable, match="no room"):
        bench.append(b"lost")
    assert head_of(bench.store) == bench.sequencer.answered.head
    assert list(bench.append(b"kept").indexes) == [0]
    assert entries_of(bench.store) == [b"kept"]


def test_a_state_that_only_a_person_can_mend_lasts(bench):
    bench.store.order("begin", Held("damaged", "the edge is gone"))
    for _ in range(2):
        with pytest.raises(Held, match="the edge is gone"):
            bench.append(b"entry")
    assert bench.sequencer.hold.state == "damaged"
    assert head_of(bench.store).size == 0


@pytest.mark.parametrize("step", STEPS)
def test_when_nobody_knows_who_was_in_the_batch_is_told_that(tmp_path, step):
    with Bench(tmp_path) as bench:
        bench.store.order(step, OSError("input/output error"))
        with pytest.raises(Halted, match="may or may not have been logged") as caught:
            bench.append(b"entry")
        assert isinstance(caught.value.__cause__, OSError)
        assert head_of(bench.store).size == (1 if step == "committed" else 0)
        assert bench.sequencer.answered.head.size == 0
        assert bench.sequencer.hold.state == "halted"


def test_who_was_waiting_is_told_that_nothing_was_logged(tmp_path):
    with Bench(tmp_path, store_class=SlowStore) as bench:
        bench.store.order("commit", Halted("input/output error"))
        taken = bench.hand_in(b"taken")
        assert bench.store.entered.acquire(timeout=LONG_S)
        waiting = [bench.hand_in(entry) for entry in numbered(3)]
        bench.store.released.release()
        with pytest.raises(Halted):
            taken.wait(LONG_S)
        for each in waiting:
            with pytest.raises(Unavailable, match="not logged") as caught:
                each.wait(LONG_S)
            assert caught.value.reason == "halted"
        with pytest.raises(Unavailable):
            bench.hand_in(b"late")
        assert len(bench.store.batches) == 1


@pytest.mark.parametrize("when", ["before the commit", "after the commit"])
def test_a_log_that_halted_takes_nothing_more_and_reads_on(new_log, caplog, when):
    live = new_log()
    with live.open() as log:
        shown = live.append(*numbered(3), log=log)
        append = log.store.append

        def fails(batch, check):
            if when == "after the commit":
                append(batch, check)
            raise Halted("input/output error")

        log.store.append = fails
        with pytest.raises(Halted):
            log.append([b"entry"])
        for _ in range(2):
            with pytest.raises(Held) as caught:
                log.append([b"more"])
            assert caught.value.state == "halted"
            assert caught.value.mend
        assert log.head == shown.head
        assert log.reading.entries(0, 3) == numbered(3)
        assert log.checkpoint() == shown.checkpoint
    assert "halted" in caplog.text
    with live.open() as log:
        assert log.head.size == (4 if when == "after the commit" else 3)
        live.append(b"after", log=log)


@pytest.mark.parametrize("written", [0, 10, 127])
def test_an_anchor_that_is_not_written_whole_halts(new_log, monkeypatch, written):
    live = new_log()
    with live.open() as log:
        shown = live.append(*numbered(3), log=log)
        with monkeypatch.context() as patch:
            patch.setattr("ledger.log.anchor.os.pwrite", lambda *_: written)
            with pytest.raises(Halted, match="could not be written"):
                log.append([b"entry"])
        assert log.hold.state == "halted"
        assert log.head == shown.head
    with live.open() as log:
        # A crash between commit and anchor: the batch is part of the log.
        assert log.head.size == 4


def test_a_signature_that_fails_halts_and_is_made_at_the_next_start(new_log):
    live = new_log()

    def fails(held, **_):
        raise Halted("a signature of ours is wrong")

    with live.open() as log:
        log._signer.sign = fails
        with pytest.raises(Halted):
            log.append([b"entry"])
        assert log.head.size == 0
    with live.open() as log:
        assert live.saw(log.checkpoint()).size == 1


# Readers beside it


def test_readers_beside_the_writer_never_see_more_than_is_anchored(new_log):
    live, done = new_log(), threading.Event()
    above, looks = [], []

    def look(log: Log) -> None:
        while not done.is_set():
            seen = log.head.size
            anchored = read_anchor(live.folder / "anchor").size
            looks.append(seen)
            if seen > anchored or (seen and not log.reading.entry(seen - 1)):
                above.append((seen, anchored))

    with live.open() as log:
        readers = [threading.Thread(target=look, args=[log]) for _ in range(2)]
        for each in readers:
            each.start()
        for number in range(100):
            live.append(b"entry %d" % number, log=log)
        done.set()
        for each in readers:
            each.join()
    assert looks
    assert not above


@pytest.mark.parametrize(
    "time",
    [
        pytest.param(None, id="Ed25519"),
        pytest.param(NOW_MS // 1_000, id="with time", marks=pytest.mark.exhaustive),
    ],
)
def test_checkpoints_can_be_asked_for_while_batches_are_written(new_log, narrow, time):
    live, done = new_log(), threading.Event()
    shown, failed = set(), []

    def ask(log: Log) -> None:
        try:
            while not done.is_set():
                shown.add(log.checkpoint(time=time))
        except Halted as error:
            failed.append(error)

    with live.open() as log:
        readers = [threading.Thread(target=ask, args=[log]) for _ in range(2)]
        for each in readers:
            each.start()
        for number in range(100):
            live.append(b"entry %d" % number, log=log)
        done.set()
        for each in readers:
            each.join()
    assert not failed
    for each in shown if time is None else list(shown)[-50:]:
        live.saw(each)


def test_writers_side_by_side_get_every_index_once(new_log):
    live, answers = new_log(), []
    with live.open() as log:

        def write(name: int) -> None:
            for number in range(25):
                entry = b"%d %d" % (name, number)
                answers.append((log.append([entry]), entry))

        writers = [threading.Thread(target=write, args=[name]) for name in range(8)]
        for each in writers:
            each.start()
        for each in writers:
            each.join()
    for answer, entry in answers:
        live.remember(answer, [entry])
    assert sorted(live.promised) == list(range(200))
