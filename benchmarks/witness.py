"""How many trees a witness cosigns a second over HTTP, beside what that costs at least.

The least is what no witness can leave out: to verify the log's signature, to make
two of its own and verify them, and one fsync.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
from functools import partial
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.measure import in_turn, rate_text, ratio_text
from ledger.keys.witnesskeys import Cosigning, WitnessKeys
from ledger.witness.home import make
from tests.reference.rfc6962 import Tree
from tests.testlog import Signer, checkpoint_text, note, signer
from verifier.checkpoint import Checkpoint
from verifier.keys import VerifierKey, verify_signature
from verifier.witnessing import Addition

LOGS = 64
UPDATES = 256
"""Of all logs together in a round."""
_TREE = Tree([sha256(b"%d" % number).digest() for number in range(4_096)])


def run(folder: Path, rounds: int) -> None:
    """Print what was measured."""
    print(f"a witness, {UPDATES} updates a round over HTTP")
    place = Path(tempfile.mkdtemp(dir=folder))
    home = make(place / "witness", "witness.example/bench")
    logs = [signer(f"log.example/{number}") for number in range(LOGS + 1)]
    home.logs.write_text("".join(f"log {each.vkey}\n" for each in logs))
    command = ("-m", "cli", "witness", "serve", str(home.folder), "--json")
    process = subprocess.Popen(
        [sys.executable, *command, "--listen", "127.0.0.1:0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        asking = [_Asking(url, each) for each in logs]
        for name, some in (("1 log", asking[:1]), (f"{LOGS} logs", asking[1:])):
            bare, synced = partial(_bare, logs[0]), partial(_synced, place / "synced")
            works = (partial(_together, some), bare, synced)
            taken, least, fsyncs = in_turn(rounds, *works)
            print(f"  {name:<26}{rate_text(UPDATES, taken)}")
            print(f"  {'':<26}of its bare signatures: {ratio_text(taken, least)}")
            print(f"  {'':<26}of one fsync for each: {ratio_text(taken, fsyncs)}")
    finally:
        process.terminate()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


class _Asking:
    """One log, whose tree grows by an entry with each request."""

    def __init__(self, url: str, log: Signer) -> None:
        parts = urlsplit(url)
        self._wire = http.client.HTTPConnection(parts.hostname or "", parts.port)
        self._log, self._size = log, 0

    def grow(self, count: int) -> None:
        """Have so many larger trees cosigned, one after the other."""
        for _ in range(count):
            old, size = self._size, self._size + 1
            proof = tuple(_TREE.consistency(old, size)) if old else ()
            text = checkpoint_text(size, _TREE.mth(0, size), self._log.name)
            signed = note(text, self._log.line(text))
            body = Addition(old=old, proof=proof, checkpoint=signed).encode()
            self._wire.request("POST", "/add-checkpoint", body)
            answer = self._wire.getresponse()
            if answer.status != http.HTTPStatus.OK:
                raise RuntimeError(answer.read())
            answer.read()
            self._size = size


def _together(asking: list[_Asking]) -> None:
    each = max(1, UPDATES // len(asking))
    threads = [threading.Thread(target=one.grow, args=(each,)) for one in asking]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _bare(log: Signer) -> None:
    key = VerifierKey.parse(log.vkey)
    ours = Cosigning(WitnessKeys.generate("witness.example/bare"))
    root = _TREE.mth(0, 8)
    text = checkpoint_text(8, root, log.name)
    checkpoint = Checkpoint(origin=log.name, size=8, root=root)
    signature = log.sign(text.encode())
    for _ in range(UPDATES):
        verify_signature(key.public_key, text.encode(), signature)
        ours.lines(checkpoint, time=1)


def _synced(path: Path) -> None:
    with path.open("wb") as file:
        for _ in range(UPDATES):
            file.write(bytes(4_096))
            file.flush()
            os.fsync(file.fileno())
