"""A writer to be killed, starved and lied to: appends batches, and says what it got.

Each answer is one line on stdout, in one write, so that whoever reads the pipe
knows exactly what was promised before the end. It exits with 0 if everything was
logged, with 1 if it was refused, with 3 if nobody knows.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from pathlib import Path
from typing import cast

import ledger.publish.folder
from ledger.errors import Halted, Held, Refused, Unavailable
from ledger.log.log import Log
from ledger.log.look import Look
from ledger.log.pool import Admitted
from ledger.publish.export import export
from ledger.store.lmdb import LmdbStore
from tests.faults.promises import Promise, entries

REFUSED, UNKNOWN = 1, 3
TIME = 1_790_000_000


def say(promise: Promise) -> None:
    """Tell the world, at once and in one piece."""
    os.write(1, promise.line())


def append(log: Log, name: str, count: int) -> None:
    """Append the batch `name`, and say what was answered."""
    admitted = [Admitted(None, each) for each in entries(name, count)]
    answer = log.submit(admitted).wait(60)
    first = answer.indexes[0]
    assert first is not None
    say(Promise(name=name, first=first, stop=first + count, note=answer.checkpoint))


def die(_: Path) -> None:
    """The process ends where it would have synced a folder."""
    os.kill(os.getpid(), signal.SIGKILL)


def publish(log: Log, dest: Path) -> None:
    """Export the log, and say which checkpoint is out."""
    assert log._anchor
    seen = Look(
        home=log.home,
        store=cast(LmdbStore, log.store),
        live=True,
        head=log.head,
        held=log._anchor.held,
        signer=log._signer,
    )
    size = export(seen, dest, time=TIME).checkpoint.size
    note = (dest / "checkpoint").read_bytes()
    say(Promise(name="", first=0, stop=size, note=note))


def write(log: Log, options: argparse.Namespace, seed: str) -> None:
    """Append all batches; between some of them, export what is there."""
    for batch in range(options.batches):
        append(log, f"{seed}.{batch}", options.entries)
        if options.export and batch % options.every == options.every - 1:
            publish(log, options.export)


def run(options: argparse.Namespace) -> int:
    """Open the log, let every thread write, and say how it ended."""
    failed: list[int] = []

    def work(thread: int) -> None:
        try:
            write(log, options, f"{options.seed}.{thread}")
        except Halted as error:
            print("unknown:", error, file=sys.stderr)
            failed.append(UNKNOWN)
        except (Held, Refused, Unavailable) as error:
            print("refused:", error, file=sys.stderr)
            failed.append(REFUSED)

    if options.dies:
        setattr(ledger.publish.folder, "sync_path", die)  # noqa: B010 - it is not ours
    with Log.open(options.folder) as log:
        threads = [
            threading.Thread(target=work, args=(number,))
            for number in range(1, options.threads)
        ]
        for thread in threads:
            thread.start()
        work(0)
        for thread in threads:
            thread.join()
    return max(failed, default=0)


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """What the writer is told to do."""
    parser = argparse.ArgumentParser(prog="tests.faults.writer")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", default="w", help="begins the name of each batch")
    parser.add_argument("--batches", type=int, default=1)
    parser.add_argument("--entries", type=int, default=5, help="in each batch")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--export", type=Path, help="a folder to export the log to")
    parser.add_argument("--dies", action="store_true", help="in the first export")
    parser.add_argument("--every", type=int, default=10, help="batches an export")
    return parser.parse_args(words)


if __name__ == "__main__":
    try:
        code = run(arguments())
    except (Held, Halted) as error:
        print("held:", error, file=sys.stderr)
        code = REFUSED if isinstance(error, Held) else UNKNOWN
    sys.exit(code)
