"""Whatever happens to a log, in whatever order, no promise is broken.

A machine of random steps: append, hand in again, hand in something else under the
same name, crash before, between and after the steps of a commit, start again, put
an old backup back, set the clock, fill the disk, and at last freeze. What was
answered is remembered; after each step the log has all of it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ledger.errors import Conflict, Halted, Held, Unavailable
from ledger.log.log import Log
from ledger.log.pool import Answer
from ledger.upkeep.copies import backup
from ledger.upkeep.promises import Evidence
from ledger.upkeep.restore import restore
from tests.faults.site import put
from tests.livelog import LiveLog
from tests.log.fakes import SetClock, body

CRASHES = ("commit", "committed", "anchored")
"""Where the process ends: before the commit, before the anchor, before the answer."""
NUMBERS = st.lists(st.integers(0, 400), min_size=1, max_size=30, unique=True)
RECENT = 30
DATA = "store/data.mdb"


class LogMachine(RuleBasedStateMachine):
    """A log, and what it has promised."""

    kind = "record"

    def __init__(self) -> None:
        super().__init__()
        self._room = tempfile.TemporaryDirectory()
        self.clock = SetClock()
        self.live = LiveLog(
            Path(self._room.name) / "log",
            kind=self.kind,
            dedupe=self.kind == "opaque",
            clock=self.clock,
        )
        self.index: dict[int, int] = {}
        self.backups = 0
        self.unused = 1_000
        self.frozen = False
        self.open()

    def thing(self, number: int, text: str = "") -> bytes:
        """What is handed in under `number`."""
        if self.kind == "record":
            return body(number, outputs=[]) if not text else body(number, note=text)
        return b"thing %d %s" % (number, text.encode())

    def fresh(self) -> int:
        """The number of something that nobody has handed in."""
        self.unused += 1
        return self.unused

    def open(self) -> None:
        self.log = Log.open(self.live.folder, clock=self.clock)

    def restart(self) -> None:
        self.log.close()
        self.open()

    def hand_in(self, numbers: list[int]) -> Answer:
        """Append, and hold the answer against all that came before."""
        things = [self.thing(each) for each in numbers]
        answer = self.live.append(*things, log=self.log)
        for number, index in zip(numbers, answer.indexes, strict=True):
            assert index is not None
            assert self.index.setdefault(number, index) == index
        return answer

    @precondition(lambda self: not self.frozen)
    @rule(numbers=NUMBERS)
    def append(self, numbers: list[int]) -> None:
        known = set(self.index)
        answer = self.hand_in(numbers)
        repeated = {numbers[position] for position in answer.repeated}
        assert repeated >= known & set(numbers)

    @precondition(lambda self: self.index and not self.frozen)
    @rule(data=st.data())
    def conflict(self, data) -> None:
        number = data.draw(st.sampled_from(sorted(self.index)))
        size = self.log.head.size
        answer = self.log.append([self.thing(number, "another")])
        if self.kind == "record":
            assert answer.indexes == [None]
            assert isinstance(answer.refused[0], Conflict)
            assert answer.refused[0].index == self.index[number]
            assert self.log.head.size == size

    @precondition(lambda self: not self.frozen)
    @rule(numbers=NUMBERS, where=st.sampled_from(CRASHES))
    def crash(self, numbers: list[int], where: str) -> None:
        """The process ends in the middle; the next one looks at what is left."""

        def end(*_: object, **__: object) -> None:
            raise Halted("the process was killed")

        sequencer: Any = self.log._sequencer
        if where == "commit":
            sequencer._store.append = end
        elif where == "committed":
            sequencer._anchor.advance = end
        else:
            sequencer._signer.sign = end
        before = self.log.head.size
        new = [each for each in numbers if each not in self.index]
        if new:
            with pytest.raises(Halted):
                self.log.append([self.thing(each) for each in new])
        self.restart()
        assert self.log.hold is None
        logged = self.log.head.size - before
        assert logged == (0 if where == "commit" else len(new))
        self.hand_in(numbers)  # who does not know asks again

    @rule()
    def start_again(self) -> None:
        self.restart()
        assert (self.log.hold and self.log.hold.state) == (
            "frozen" if self.frozen else None
        )

    @precondition(lambda self: not self.frozen)
    @rule(seconds=st.sampled_from([0, 1, 4, 60]))
    def time_passes(self, seconds: int) -> None:
        self.clock.go_on(seconds * 1000)

    @precondition(lambda self: not self.frozen)
    @rule(seconds=st.sampled_from([-864_000, -3_600, -6, -4, 4, 6, 3_600]))
    def the_clock_is_set(self, seconds: int) -> None:
        self.hand_in([self.fresh()])
        self.clock.wall_ms += seconds * 1000
        if abs(seconds) > 5:
            with pytest.raises(Held) as held:
                self.log.append([self.thing(self.fresh())])
            assert held.value.state == "clock"
        self.clock.wall_ms -= seconds * 1000
        self.hand_in([self.fresh()])
        assert self.log.hold is None

    @precondition(lambda self: not self.frozen)
    @rule(numbers=NUMBERS)
    def the_disk_is_full(self, numbers: list[int]) -> None:
        store: Any = self.log.store
        limit, store._limit_bytes = store._limit_bytes, 1
        new = [each for each in numbers if each not in self.index]
        size = self.log.head.size
        if new:
            with pytest.raises(Unavailable) as full:
                self.log.append([self.thing(each) for each in numbers])
            assert full.value.reason == "full"
        assert self.log.head.size == size
        store._limit_bytes = limit
        self.hand_in(numbers)

    @precondition(lambda self: not self.frozen)
    @rule(numbers=NUMBERS)
    def an_old_store_is_put_back(self, numbers: list[int]) -> None:
        self.log.close()
        folder = Path(self._room.name)
        old = (self.live.folder / DATA).read_bytes()
        self.open()
        before = self.log.head.size
        self.hand_in(numbers)
        grown = self.log.head.size > before
        self.log.close()
        self.backups += 1
        copy = folder / f"backup{self.backups}"
        backup(self.live.folder, copy)
        put(self.live.folder / DATA, old)
        self.open()
        if grown:
            assert self.log.hold
            assert self.log.hold.state == "rollback"
            with pytest.raises(Held):
                self.log.append([self.thing(0)])
            self.log.close()
            restore(self.live.folder, Evidence(copies=[str(copy)]))
            self.open()
        assert self.log.hold is None
        self.hand_in(numbers)

    @precondition(lambda self: not self.frozen and len(self.index) > RECENT)
    @rule()
    def freeze(self) -> None:
        answer = self.log.submit([], freeze=True).wait()
        self.live.saw(answer.checkpoint)
        self.frozen = True
        with pytest.raises(Held):
            self.log.append([self.thing(self.fresh())])
        self.hand_in(list(self.index)[:5])  # what was logged keeps its answer

    @invariant()
    def every_promise_is_kept(self) -> None:
        self.live.saw(self.log.checkpoint())
        for index in list(self.live.promised)[-RECENT:]:
            assert self.live.promised[index] in self.log.reading.entry(index)

    def teardown(self) -> None:
        self.log.close()
        try:
            self.live.check()
        finally:
            self._room.cleanup()


class OpaqueMachine(LogMachine):
    """The same with a log that knows things by their bytes."""

    kind = "opaque"


@pytest.mark.exhaustive
@pytest.mark.parametrize("machine", [LogMachine, OpaqueMachine])
def test_no_order_of_steps_breaks_a_promise(machine):
    run_state_machine_as_test(
        machine, settings=settings(max_examples=12, stateful_step_count=25)
    )


@pytest.mark.soak
@pytest.mark.parametrize("machine", [LogMachine, OpaqueMachine])
def test_no_order_of_many_steps_breaks_a_promise(machine):
    run_state_machine_as_test(
        machine,
        settings=settings(max_examples=150, stateful_step_count=50, derandomize=False),
    )
