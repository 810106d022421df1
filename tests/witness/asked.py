"""A witness without HTTP, a log that it knows, and the true requests of that log."""

from __future__ import annotations

import threading
from base64 import b64encode
from pathlib import Path

from ledger.clock import Instant
from ledger.keys.witnesskeys import Cosigning, WitnessKeys
from ledger.witness.answering import Answer
from ledger.witness.cosigner import Cosigner
from ledger.witness.known import Known
from tests.reference.rfc6962 import Tree
from tests.testlog import LOG, ORIGIN, TIME, Signer, checkpoint_text, note
from verifier.checkpoint import Checkpoint
from verifier.cosignature import verify_cosignature
from verifier.note import Note

NAME = "witness.example/w1"
KEYS = WitnessKeys.generate(NAME)
TREE = Tree([b"entry %d" % number for number in range(64)])
OTHER = Tree([b"entry 0", *(b"another %d" % number for number in range(63))])
"""A second history, which has the first entry in common with the other one."""


class Table:
    """A memory that forgets when the test is over."""

    def __init__(self) -> None:
        self.rows: dict[bytes, bytes] = {}
        self._alone = threading.Lock()

    def get(self, key: bytes) -> bytes | None:
        """What is remembered."""
        return self.rows.get(key)

    def swap(self, key: bytes, before: bytes | None, after: bytes) -> bool:
        """Remember another value."""
        with self._alone:
            if self.rows.get(key) != before:
                return False
            self.rows[key] = after
            return True


class Asked:
    """A witness that knows the log, at a time that the test sets."""

    def __init__(self, folder: Path, *logs: Signer) -> None:
        self.now = TIME
        self.memory = Table()
        self.signing = Cosigning(KEYS)
        self.logs = folder / "logs.txt"
        self.logs.write_text("".join(f"log {each.vkey}\n" for each in logs or (LOG,)))
        self.known = Known(self.logs, own=self.signing.verifier_keys())
        self.cosigner = Cosigner(
            self.signing,
            self.known,
            self.memory,
            clock=lambda: Instant(wall_ms=self.now * 1000 + 999, boot_ms=0),
        )

    def add(self, body: bytes) -> Answer:
        """Ask for a cosignature."""
        return self.cosigner.add(body)

    @property
    def stored(self) -> Note | None:
        """What is remembered of the log, and shown to all."""
        found = list(self.memory.rows.values())
        return Note.parse(found[0]) if found else None


def request(
    old: int, size: int, *, tree: Tree = TREE, origin: str = ORIGIN, by: Signer = LOG
) -> bytes:
    """A request of the log, whose tree grew from `old` to `size`."""
    text = checkpoint_text(size, tree.mth(0, size), origin)
    proof = tree.consistency(old, size) if 0 < old < size else []
    return written(old, proof, note(text, by.line(text)))


def written(old: int | str, proof: list[bytes], checkpoint: bytes) -> bytes:
    """A request of these parts, whether they fit or not."""
    hashes = "".join(f"{b64encode(each).decode()}\n" for each in proof)
    return f"old {old}\n{hashes}\n".encode() + checkpoint


def times_of(answer: Answer, body: bytes) -> list[int]:
    """When it was cosigned: every line of the answer is verified on the way."""
    assert answer.status == 200, answer.body
    text = body.partition(b"\n\n")[2].partition(b"\n\n")[0].decode() + "\n"
    signed = Note.parse(text.encode() + b"\n" + answer.body)
    checkpoint = Checkpoint.parse(text)
    keys = {key.verifier_key.id: key.verifier_key for key in KEYS.keys}
    assert [each.key_id for each in signed.signatures] == list(keys)
    return [
        verify_cosignature(keys[each.key_id], text, checkpoint, each.signature)
        for each in signed.signatures
    ]
