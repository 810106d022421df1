"""How long it takes until what was submitted is public, with witnesses and without.

A submission counts as public when a checkpoint over it is read from outside. With
witnesses two of three have to have cosigned that, which are processes beside the log.
Both services feed a folder as well, and take turns.
"""

from __future__ import annotations

import http.client
import json
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from benchmarks.measure import cores
from benchmarks.wrk import ONE, wrk
from ledger.clock import read_clock
from ledger.witness.quorum import Witnesses
from tests.reference.rfc6962 import Tree
from tests.testlog import checkpoint_text, note, signer
from verifier.checkpoint import Checkpoint
from verifier.policy import Policy

LIGHT: Final = 200
"""Entries a second."""
WITNESSES: Final = ("w1", "w2", "w3")
QUORUM: Final = 2
PROPOSALS: Final = 256
SETTINGS: Final = 'targets = ["../public"]\nreach = ["127.0.0.1"]\n'
_PROVLOG: Final = (sys.executable, "-m", "cli")
_CONNECTIONS: Final = 64
_PACED: Final = ONE + "\nfunction delay() return math.random(0, 2 * %d) end\n"
_EVERY_S: Final = 0.047
"""Between two that are timed: no part of a second, so all phases of one are met."""
_LOOK_S: Final = 0.01
_LATE_S: Final = 10.0


def run(folder: Path, rounds: int, *, quick: bool = False) -> None:
    """Print what was measured."""
    if not shutil.which("wrk"):
        print("publication: wrk is not here (Debian: apt install wrk)")
        return
    seconds = 8 if quick else 20
    place = folder / "publication"
    shutil.rmtree(place, ignore_errors=True)
    print(f"publication every second, {cores()} cores with wrk beside it")
    with ExitStack() as stack:
        asked = stack.enter_context(_service(place / "asked", WITNESSES))
        alone = stack.enter_context(_service(place / "alone", ()))
        full = wrk(alone, ONE % (300, "/add", "nil"), _CONNECTIONS, 4).rate
        for says, rate in (("light load", LIGHT), ("half load", full / 2)):
            print(f"  submit → public, {says}")
            taken: dict[str, list[float]] = {alone: [], asked: []}
            rates: dict[str, list[float]] = {alone: [], asked: []}
            for _ in range(rounds):
                for url in (alone, asked):
                    rates[url].append(_timed(url, rate, seconds, taken[url]))
            for name, url in (("without witnesses", alone), ("2 of 3 cosign", asked)):
                beside = sum(rates[url]) / len(rates[url])
                print(f"    {name:<20}{_text(taken[url])}, beside {beside:,.0f}/s")
    _proposals(place / "proposals")
    shutil.rmtree(place, ignore_errors=True)


def _timed(url: str, rate: float, seconds: int, taken: list[float]) -> float:
    """Add to `taken` how long each has taken, beside so many others a second."""
    submitted: dict[int, float] = {}
    over = threading.Event()
    threads = [
        threading.Thread(target=_submit, args=(url, submitted, over)),
        threading.Thread(target=_watch, args=(url, submitted, taken, over)),
    ]
    for thread in threads:
        thread.start()
    pause_ms = _CONNECTIONS / rate * 1000
    script = _PACED % (300, "/add", "nil", pause_ms)
    try:
        return wrk(url, script, _CONNECTIONS, seconds).rate
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _submit(url: str, submitted: dict[int, float], over: threading.Event) -> None:
    wire, number = _wire(url), 0
    while not over.wait(_EVERY_S):
        began = time.perf_counter()
        wire.request("POST", "/add", b"timed %d %0280d" % (time.time_ns(), number))
        submitted[int(wire.getresponse().read())] = began
        number += 1
    wire.close()


def _watch(
    url: str, submitted: dict[int, float], taken: list[float], over: threading.Event
) -> None:
    """Read checkpoints until all that was submitted is under one."""
    wire, until = _wire(url), float("inf")
    while time.perf_counter() < until and (submitted or not over.is_set()):
        wire.request("GET", "/checkpoint")
        size, now = int(wire.getresponse().read().split(b"\n")[1]), time.perf_counter()
        # One that is being answered just now is found the next time.
        found = [each for each in list(submitted) if each < size]
        taken += [now - submitted.pop(each) for each in found]
        if over.is_set() and until == float("inf"):
            until = now + _LATE_S
        time.sleep(_LOOK_S)  # to look all the time would take what is measured
    wire.close()
    if submitted:
        print(f"    {len(submitted)} were not public after {_LATE_S:.0f} s")


def _proposals(place: Path) -> None:
    """From a signed tree to one with a quorum: what asking three witnesses takes."""
    log = signer("log.example/proposals")
    hashes = Tree([bytes([number % 256]) * 32 for number in range(PROPOSALS + 1)])
    place.mkdir(parents=True)
    taken: list[float] = []
    with ExitStack() as stack:
        lines = [f"log {log.vkey}"]
        for name in WITNESSES:
            vkey = _make_witness(place, name, log.vkey)
            url = stack.enter_context(_running("witness", "serve", str(place / name)))
            lines.append(f"witness {name} {vkey} {url}")
        lines += [f"group all {QUORUM} {' '.join(WITNESSES)}", "quorum all", ""]
        policy = Policy.parse("\n".join(lines).encode())
        eyes = Witnesses(policy, reach=["127.0.0.1"], timeout_s=5, clock=read_clock)
        for size in range(1, PROPOSALS + 1):
            root = hashes.mth(0, size)
            text = checkpoint_text(size, root, log.name)
            tree = Checkpoint(origin=log.name, size=size, root=root)
            began = time.perf_counter()
            found = eyes.gather(note(text, log.line(text)), tree, hashes.consistency)
            taken.append(time.perf_counter() - began)
            if not found.quorum:
                raise RuntimeError("no quorum has cosigned")
        eyes.close()
    print(f"  signed → cosigned by a quorum    {_text(taken)}")


@contextmanager
def _service(place: Path, witnesses: Sequence[str]) -> Iterator[str]:
    """A service of a new log that these witnesses cosign; its address."""
    place.mkdir(parents=True)
    log = place / "log"
    origin = f"log.example/{place.name}"
    _do("init", str(log), "--origin", origin, "--entries", "opaque")
    lines = (log / "policy.txt").read_text().splitlines()
    (vkey,) = [each.split()[1] for each in lines if each.startswith("log ")]
    with ExitStack() as stack:
        for number, name in enumerate(witnesses, start=1):
            key = _make_witness(place, name, vkey)
            url = stack.enter_context(_running("witness", "serve", str(place / name)))
            least = ("--quorum", str(min(number, QUORUM)))
            added = ("policy", "add-witness", str(log), name, key)
            _do(*added, "--url", url, *least)
        (log / "log.toml").write_text(SETTINGS)
        _do("export", str(log), str(place / "public"))
        operations = ("--operations", "127.0.0.1:0")
        yield stack.enter_context(_running("serve", str(log), *operations))


def _make_witness(place: Path, name: str, vkey: str) -> str:
    """Make a witness of the log with this key; its own Ed25519 key."""
    made = _do(
        "witness", "init", str(place / name), "--name", f"witness.example/{name}"
    )
    _do("witness", "add", str(place / name), vkey)
    return next(
        line.split()[2] for line in made.splitlines() if line.startswith("witness wit")
    )


def _do(*words: str) -> str:
    done = subprocess.run(
        [*_PROVLOG, *words], check=True, capture_output=True, text=True
    )
    return done.stdout


@contextmanager
def _running(*words: str) -> Iterator[str]:
    """A server on a free port, and its address."""
    command = [*_PROVLOG, *words, "--listen", "127.0.0.1:0", "--json"]
    pipe, void = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(command, stdout=pipe, stderr=void, text=True) as process:
        try:
            assert process.stdout
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def _wire(url: str) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)


def _text(taken: list[float]) -> str:
    """Percentiles, in milliseconds."""
    found = sorted(each * 1e3 for each in taken)
    p50, p99 = found[len(found) // 2], found[int(len(found) * 0.99)]
    return (
        f"p50 {p50:7.1f} ms, p99 {p99:7.1f} ms, max {found[-1]:7.1f} ms of {len(found)}"
    )
