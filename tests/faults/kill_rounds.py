"""kill −9, again and again: whoever got an answer finds it in the log.

    python -m tests.faults.kill_rounds kill FOLDER ROUNDS SEED
    python -m tests.faults.kill_rounds pair FOLDER ROUNDS SEED

`kill`: several threads write; the process is killed at a random time; the next one
opens the log, which has to hold all that was answered in all rounds. `pair`: two
processes begin at once on one folder; exactly one of them writes.

This process has one thread and opens no log: writers and judges are forked from it.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import select
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from ledger.clock import stopwatch
from ledger.errors import Held
from ledger.log.log import Log
from tests.faults.crash_states import in_child
from tests.faults.promises import Promise, judge, promises
from tests.faults.writer import append, arguments, run
from tests.livelog import LiveLog

ROOT = Path(__file__).resolve().parents[2]
SEED = 20_230_801
SECONDS = 1_200
ROUNDS_A_LOG = 40
"""Then a new one is begun: each round looks at the whole log."""
LONGEST_S = 0.2
THREADS = 4


def forked(work: Callable[[], object], *, keep: int = -1) -> tuple[int, int]:
    """A process that does `work`, and where to read its stdout; it closes `keep`."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    code = 1
    with contextlib.suppress(BaseException):
        os.close(reading)
        os.dup2(writing, 1)
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 2)
        if keep >= 0:
            os.close(keep)
        work()
        code = 0
    os._exit(code)


def until(reading: int, seconds: float) -> bytes:
    """What is said within `seconds`."""
    said, end = b"", stopwatch() + seconds
    while (left := end - stopwatch()) > 0:
        if select.select([reading], [], [], left)[0]:
            data = os.read(reading, 1 << 16)
            if not data:
                break
            said += data
    return said


def rest(reading: int) -> bytes:
    """What else is said, up to the end."""
    with open(reading, "rb") as pipe:
        return pipe.read()


def born(folder: Path) -> Path:
    """A new log, made by a process of its own."""
    made = in_child(lambda: str(LiveLog(folder).folder))
    assert made == str(folder), made
    return folder


def kill_round(folder: Path, number: int, rng: random.Random) -> list[Promise]:
    """Let some threads write until the process is killed; what they were answered."""
    options = ["--threads", str(THREADS), "--batches", "1000000"]
    options += ["--entries", str(rng.choice([1, 3, 40])), "--seed", f"r{number}"]
    child, reading = forked(lambda: run(arguments([str(folder), *options])))
    said = until(reading, rng.random() * LONGEST_S)
    os.kill(child, signal.SIGKILL)
    said += rest(reading)
    os.waitpid(child, 0)
    return promises(said)


def kill(folder: Path, rounds: int, rng: random.Random) -> Iterator[tuple[str, int]]:
    """The verdict after each round, and how many answers there were in it."""
    log, told = folder, list[Promise]()
    for number in range(rounds):
        if number % ROUNDS_A_LOG == 0:
            log, told = born(folder / f"log{number}"), []
        new = kill_round(log, number, rng)
        told = sorted([*told, *new], key=lambda each: each.stop)
        yield in_child(partial(judge, log, told)), len(new)


def pair(folder: Path, rounds: int, rng: random.Random) -> Iterator[tuple[str, int]]:
    """What each of two processes said: W if it may write, L if the other one does."""
    log, told = born(folder / "log"), list[Promise]()
    for number in range(rounds):
        waiting, go = os.pipe()

        def work(name: str, log: Path = log, waiting: int = waiting) -> None:
            try:
                with Log.open(log) as opened:
                    os.write(1, b"W\n")
                    os.read(waiting, 1)  # returns when the parent has closed it
                    append(opened, name, 3)
            except Held as error:
                os.write(1, b"L\n" if error.state == "locked" else b"?\n")
                os.read(waiting, 1)

        names = [f"p{number}.{side}" for side in "ab"]
        both = [forked(partial(work, name), keep=go) for name in names]
        first = [os.read(reading, 2)[:1].decode() for _, reading in both]
        os.close(waiting)
        os.close(go)
        said = [rest(reading) for _, reading in both]
        for child, _ in both:
            os.waitpid(child, 0)
        new = promises(b"".join(said))
        told += new
        word = in_child(partial(judge, log, told))
        yield f"{''.join(sorted(first))} {word}", len(new)


def played(mode: str, folder: Path, rounds: int, seed: int = SEED) -> dict:
    """What came of `rounds` rounds, which a process of their own plays."""
    words = [mode, str(folder), str(rounds), str(seed)]
    ended = subprocess.run(
        [sys.executable, "-m", "tests.faults.kill_rounds", *words],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        timeout=SECONDS,
        check=True,
    )
    found: dict = json.loads(ended.stdout)
    print(f"seed {seed}:", found)
    return found


def main(mode: str, folder: str, rounds: str, seed: str) -> dict:
    """All rounds; how often each verdict came."""
    rng = random.Random(seed)
    play = {"kill": kill, "pair": pair}[mode]
    verdicts: Counter[str] = Counter()
    answers = 0
    for word, count in play(Path(folder), int(rounds), rng):
        verdicts[word] += 1
        answers += count
    return {"answers": answers, "verdicts": dict(verdicts)}


if __name__ == "__main__":
    json.dump(main(*sys.argv[1:]), sys.stdout)
