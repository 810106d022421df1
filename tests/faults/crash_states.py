"""Every state that a crash can leave behind, opened with the engine itself.

    python -m tests.faults.crash_states LOG PUBLIC TRACE… [--lying] [--seed N]

LOG is the log as it was before; each TRACE tells what a writer did to it, and to
the folder that it was exported to in PUBLIC. At each step the disk may hold none of
what is pending, all of it, or some; each such image is judged in a process of its
own, for damage can kill. It prints how many states had which verdict.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tests.faults.disk import SECTOR, Disk, Keep
from tests.faults.promises import Promise, judge, judge_export, promises, shown
from tests.faults.site import put
from tests.faults.trace import Act, Reader

EXAMPLES = 5
SILENT = "the process that looked at it was killed by signal"


def choices(rng: random.Random, parts: int) -> Iterator[Keep]:
    """None of what is pending, all, everything up to some point, and some of it."""
    yield lambda: False
    yield lambda: True
    left = rng.randrange(12)

    def prefix() -> bool:
        nonlocal left
        left -= 1
        return left >= 0

    yield prefix
    for _ in range(parts):
        yield partial(_often, rng, rng.random())


def _often(rng: random.Random, share: float) -> bool:
    return rng.random() < share


class Enumerator:
    """Writes each image into the files of the log, and has it judged."""

    def __init__(self, folder: Path, public: Path, out: str, disk: Disk) -> None:
        self.folder = folder
        self.public = public
        self.out = public / out
        self.disk = disk
        self.told: list[Promise] = []
        self.verdicts: Counter[str] = Counter()
        self.examples: list[str] = []
        self._seen: set[int] = set()
        self._public: dict[str, bytes] = {}

    def tell(self, told: list[Promise]) -> None:
        """From now on these are promised."""
        self.told += told
        for each in told:
            shown(each.note, self.folder)  # verified once, not in every child

    def look(self, rng: random.Random, *, share: float, parts: int) -> None:
        """Judge what a crash now could leave."""
        for keep in choices(rng, parts):
            image = self.disk.image(keep)
            state = hash((len(self.told), *sorted(image.items())))
            if state not in self._seen and rng.random() < share:
                self._seen.add(state)
                self._count(self._judge(image))

    def _count(self, verdict: str) -> None:
        word = verdict.partition(" ")[0].rstrip(":")
        self.verdicts[word] += 1
        if word not in ("ok", "ok-ahead") and len(self.examples) < EXAMPLES:
            self.examples.append(verdict[:300])

    def _judge(self, image: dict[str, bytes]) -> str:
        inside = {name: image[name] for name in image if self._is_ours(name)}
        for name, data in inside.items():
            put(Path(name), data)
        self._publish({name: image[name] for name in image if name not in inside})
        return in_child(self._verdict)

    def _is_ours(self, name: str) -> bool:
        return Path(name).is_relative_to(self.folder)

    def _publish(self, files: dict[str, bytes]) -> None:
        if files == self._public:
            return
        shutil.rmtree(self.public)
        for name, data in files.items():
            os.makedirs(os.path.dirname(name), exist_ok=True)
            Path(name).write_bytes(data)
        self.public.mkdir(exist_ok=True)
        self._public = files

    def _verdict(self) -> str:
        word = judge(self.folder, self.told)
        if word.startswith("ok"):
            exported = judge_export(self.out, self.folder, self.told)
            word = word if exported == "ok" else exported
        return word


def in_child(verdict: Callable[[], str]) -> str:
    """What `verdict` says in a process of its own."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, verdict().encode()[:4000])
        except BaseException as error:  # noqa: BLE001 - the child has to end here
            os.write(writing, f"CORRUPT: {type(error).__name__}: {error}".encode())
        os._exit(0)
    os.close(writing)
    with open(reading, "rb") as pipe:
        said = pipe.read().decode()
    _, status = os.waitpid(child, 0)
    return said or f"SIGNAL: {SILENT} {os.waitstatus_to_exitcode(status)}"


def acts_of(traces: list[Path]) -> Iterator[Act]:
    """What one process after another did."""
    for trace in traces:
        with open(trace) as lines:
            yield from Reader().acts(lines)


def main(options: argparse.Namespace) -> dict:
    """Walk through the trace, and judge what each step could leave."""
    rng = random.Random(options.seed)
    data, anchor = options.log / "store" / "data.mdb", options.log / "anchor"
    roots = [str(each) for each in (data, anchor, options.public)]
    disk = Disk(roots, honest=not options.lying)
    disk.hold(str(data), data.read_bytes())
    disk.hold(str(anchor), anchor.read_bytes(), grain=SECTOR)
    states = Enumerator(options.log, options.public, options.out, disk)
    for act in acts_of(options.traces):
        if act.kind == "say":
            states.tell(promises(act.data))
        elif not disk.apply(act):
            continue
        states.look(rng, share=options.share, parts=options.parts)
        disk.settle(act)
        if sum(states.verdicts.values()) >= options.most:
            break
    return {
        "states": sum(states.verdicts.values()),
        "promises": len(states.told),
        "verdicts": dict(states.verdicts),
        "examples": states.examples,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="tests.faults.crash_states")
    parser.add_argument("log", type=Path)
    parser.add_argument("public", type=Path)
    parser.add_argument("traces", type=Path, nargs="+")
    parser.add_argument("--out", default="out", help="the export, in PUBLIC")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--share", type=float, default=1.0, help="of the states")
    parser.add_argument("--parts", type=int, default=3, help="random, at each step")
    parser.add_argument("--most", type=int, default=1 << 60, help="states")
    parser.add_argument("--lying", action="store_true", help="take no sync for one")
    json.dump(main(parser.parse_args()), sys.stdout)
