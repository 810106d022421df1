"""One system call fails, and then the next: strace injects it, the log has to stand.

Every call that touches a file of the log is counted by its name. A fault names
one of them: the n-th `pwrite64`, say, gives EIO, or kills the process before it
is made. A second fault follows the first, in the code that deals with it.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ledger.upkeep.fsck import fsck
from tests.faults.promises import AHEAD, OK, Promise, entries, judge, promises
from tests.faults.site import Site, writer

EFFECTS = ("error=EIO", "error=ENOSPC", "signal=KILL")
SECONDS = 60
ROOT = Path(__file__).resolve().parents[2]
PROVLOG = [sys.executable, "-c", "from cli.main import run; run()"]

_CALL = re.compile(r"^(\d+) +(\w+)\((.*)$")


@dataclass(frozen=True, slots=True)
class Fault:
    """The call `name`, the `number`-th of its thread, has the effect `effect`."""

    name: str
    number: int
    effect: str

    def __str__(self) -> str:
        return f"{self.name}-{self.number}-{self.effect.partition('=')[2]}"

    def option(self, last: int | None = None) -> list[str]:
        """The same, as strace wants it; with `last` that call fails as well."""
        when = f"{self.number}"
        if last:
            when += f"..{last}+{last - self.number}"
        return ["-e", f"inject={self.name}:{self.effect}:when={when}"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A command that logs so many batches, and how to read what it says of them."""

    command: Sequence[str]
    batches: int
    read: Callable[[bytes], list[Promise]]


def console(site: Site) -> Task:
    """`provlog append`, which logs ten lines."""
    lines = site.folder.with_name("lines")
    lines.write_bytes(b"".join(each + b"\n" for each in entries("line", 10)))
    words = ["append", str(site.folder), "--lines", str(lines), "--json"]
    return Task(command=[*PROVLOG, *words], batches=1, read=_said)


def engine(site: Site) -> Task:
    """The writer of these tests, which goes on after its first batch."""
    command = writer(site.folder, "--batches", "2")
    return Task(command=command, batches=2, read=promises)


def _said(output: bytes) -> list[Promise]:
    found = [json.loads(line) for line in output.splitlines() if line.endswith(b"}")]
    return [
        Promise(name="line", first=each["start"], stop=each["stop"])
        for each in found
        if "start" in each
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a run under strace was, and what came of it."""

    code: int
    told: list[Promise]
    calls: list[tuple[str, int]]
    """Each call on the log's files: its name, and the how-manieth of its thread."""
    hit: int
    """How many of them were before, and up to, the last injected error."""

    @property
    def was_hit(self) -> bool:
        """Whether any fault has happened at all."""
        return self.hit > 0 or self.code == -signal.SIGKILL


def run(site: Site, task: Task, *faults: Fault) -> Run:
    """Let `task` be done over the log as it was, with `faults`."""
    site.reset()
    trace = site.folder.parent / "trace"
    options = ["-f", "-qq", "-o", str(trace), "-e", "trace=%file,%desc"]
    if all(fault.effect.startswith("error") for fault in faults):
        options.append("--seccomp-bpf")  # faster; but then strace sends no signals
    for path in site.paths():
        options += ["-P", str(path)]
    match faults:
        case [first, second] if first.name == second.name:
            # Of two orders about one call strace would take the last.
            options += first.option(second.number)
        case _:
            options += [word for fault in faults for word in fault.option()]
    ended = subprocess.run(
        ["strace", *options, *task.command],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        timeout=SECONDS,
        check=False,
    )
    calls, hit = _calls(trace.read_text("utf-8", "replace").splitlines())
    told = task.read(ended.stdout)
    return Run(code=ended.returncode, told=told, calls=calls, hit=hit)


def _calls(lines: Sequence[str]) -> tuple[list[tuple[str, int]], int]:
    counts: dict[tuple[str, str], int] = {}
    calls, hit = [], 0
    for line in lines:
        if match := _CALL.match(line):
            thread, name, rest = match.groups()
            counts[thread, name] = counts.get((thread, name), 0) + 1
            calls.append((name, counts[thread, name]))
            if "(INJECTED)" in rest:
                hit = len(calls)
    return calls, hit


def every_fault(calls: Sequence[tuple[str, int]]) -> list[Fault]:
    """Each of `calls` once with each effect."""
    once = dict.fromkeys(calls)
    return [Fault(*call, effect) for call in once for effect in EFFECTS]


def second_faults(found: Run, first: Fault) -> Iterator[Fault]:
    """What can fail right after `first` did, in the run that it led to."""
    if first.effect.startswith("error") and found.hit < len(found.calls):
        name, number = found.calls[found.hit]
        if name != first.name or number > first.number:
            yield Fault(name, number, first.effect)


def verdict(site: Site, found: Run, wanted: int) -> str:
    """Empty, or what is wrong after a run that was to log `wanted` batches."""
    if not found.was_hit:
        return "the fault did not happen"
    if found.code == 0 and len(found.told) < wanted:
        return f"exit code 0, and {len(found.told)} of {wanted} batches were answered"
    checkup = fsck(site.folder)
    if not checkup.sound:
        return f"fsck: {checkup}"
    if (word := judge(site.folder, [*site.told, *found.told])) not in (OK, AHEAD):
        return word
    return ""


def sweep(
    site: Site, task: Task, faults: Sequence[Fault], *, double: bool
) -> Iterator[str]:
    """Let each of `faults` happen, alone or with the next; tell what went wrong."""
    for fault in faults:
        found = run(site, task, fault)
        runs = [(str(fault), found)]
        if double:
            runs = [
                (f"{fault}+{second}", run(site, task, fault, second))
                for second in second_faults(found, fault)
            ]
        for name, each in runs:
            if wrong := verdict(site, each, task.batches):
                yield f"{name}: {wrong}"


def baseline(site: Site, task: Task) -> list[tuple[str, int]]:
    """The calls on the log's files where nothing fails."""
    found = run(site, task)
    assert found.code == 0, found
    assert len(found.told) == task.batches, found
    return found.calls
