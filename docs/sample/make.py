"""Make the sample evidence anew: python -m docs.sample.make [FOLDER]

Keys, records and times are the same in every run. ML-DSA-44 signatures are not,
so what is in the repository stays as it is until somebody wants other evidence.
"""

from __future__ import annotations

import shutil
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.testlog import TIME, TestLog, checkpoint_text, note, policy_text, signer
from verifier import Bundle, Entry, Receipt
from verifier.bundle import Before
from verifier.commitment import Opening, commitment
from verifier.record import MEDIA_TYPE, digest_text, encode_record

HERE = Path(__file__).resolve().parent
ORIGIN = "log.example/sample"
LOG_KEYS = (signer(ORIGIN), signer(ORIGIN, 0x06))
WITNESSES = (
    signer("witness.example/oslo", 0x04),
    signer("witness.example/lima", 0x04),
    signer("witness.example/pune", 0x06),
)

SIZE = 300
EARLIER = 250
"""The size of the checkpoint that shows "not before"."""
BUNDLED = 273
WITH_RECEIPT = 41
STEP_S = 60
"""One record a minute; witnesses cosign 20 seconds after the last one."""


class SampleLog(TestLog):
    """A log of records, with two keys of its own, an origin and times."""

    def checkpoint(self, size: int | None = None, time: int = 0) -> bytes:
        """The checkpoint of `size`, cosigned by three witnesses one after another."""
        size = size or len(self.entries)
        text = checkpoint_text(size, self.tree.mth(0, size), ORIGIN)
        time = TIME + (size - 1) * STEP_S + 20
        lines = [key.line(text, time) for key in LOG_KEYS]
        lines += [each.line(text, time + 3 * n) for n, each in enumerate(WITNESSES, 1)]
        return note(text, *lines)


def made_up(what: str, count: int = 32) -> bytes:
    """The same random-looking bytes in every run."""
    blocks = -(-count // 32)
    return b"".join(sha256(f"{what} {n}".encode()).digest() for n in range(blocks))[
        :count
    ]


def record_id(index: int) -> str:
    """A UUIDv7 of the record's time."""
    ms = (TIME + index * STEP_S) * 1000 - 400
    noise = int.from_bytes(made_up(f"id {index}", 10), "big")
    bits = ms << 80 | noise
    bits = bits & ~(0xF << 76) | 7 << 76
    text = f"{bits & ~(3 << 62) | 2 << 62:032x}"
    return "-".join([text[:8], text[8:12], text[12:16], text[16:20], text[20:]])


def digest_of(what: str) -> str:
    """The digest of something that is not part of the sample."""
    return digest_text(made_up(what))


WEIGHTS = made_up("weights", 1024)
OPENING = Opening(
    path=("instruction", "text"),
    salt=made_up("salt of the instruction"),
    value="Answer claims in the customer's language; never promise a payment.",
)
WITHHELD = Opening(
    path=("review", "reviewer", "email"),
    salt=made_up("salt of the address"),
    value="erased@example.com",
)


def genesis() -> dict[str, Any]:
    """What the log says of itself, as its first entry."""
    return {
        "id": record_id(0),
        "kind": "genesis",
        "origin": ORIGIN,
        "entries": "record",
        "keys": [key.vkey for key in LOG_KEYS],
    }


def ordinary(index: int) -> dict[str, Any]:
    """A record of an agent at work."""
    kind = ("inference", "tool.call", "retrieval", "policy.decision")[index % 4]
    told: dict[str, dict[str, Any]] = {
        "inference": {
            "model": {"provider": "example", "name": "claims-7b", "version": "2026-08"},
            "usage": {"input": 900 + index, "output": 120 + index % 50},
        },
        "tool.call": {"tool": {"name": "claims.search", "side_effect": "read"}},
        "retrieval": {
            "retrieval": {"source": "handbook", "documents": [digest_of(str(index))]}
        },
        "policy.decision": {"policy": {"id": "no-payments", "verdict": "allow"}},
    }
    return {
        "id": record_id(index),
        "kind": kind,
        "actor": {"id": "agent:claims-assistant", "type": "agent"},
        "workflow": f"claim-{index // 4:04}",
        **told[kind],
    }


def fine_tuning() -> dict[str, Any]:
    """The record of the bundle: it made weights.bin, and it holds sealed values."""
    number = record_id(BUNDLED)
    return {
        "id": number,
        "kind": "model.derive",
        "actor": {"id": "agent:tuner", "type": "agent", "version": "1.4.2"},
        "model": {"name": "claims-7b", "version": "2026-09", "base": "claims-7b-base"},
        "inputs": [{"role": "dataset", "digest": digest_of("dataset")}],
        "outputs": [
            {
                "role": "weights",
                "name": "weights.bin",
                "size": len(WEIGHTS),
                "digest": digest_text(sha256(WEIGHTS).digest()),
            }
        ],
        "evaluation": {"name": "claims-eval", "score": "0.71"},
        "review": {"decision": "approved", "reviewer": {"id": "human:7f3c"}},
        "commitments": [
            {
                "path": list(each.path),
                "digest": digest_text(
                    commitment(
                        salt=each.salt,
                        record_id=number,
                        path=each.path,
                        value=each.value,
                    )
                ),
            }
            for each in (OPENING, WITHHELD)
        ],
    }


def entry(index: int) -> bytes:
    """The entry at `index`."""
    record = ordinary(index)
    by = f"s-{made_up(f'submitter {index % 3}').hex()[:20]}"
    if index == 0:
        record, by = genesis(), "log"
    if index == BUNDLED:
        record = fine_tuning()
    return Entry(
        at=(TIME + index * STEP_S) * 1000,
        by=by,
        type=MEDIA_TYPE,
        body=encode_record(record),
    ).encode()


def make(folder: Path) -> None:
    """Write all of the sample evidence to `folder`."""
    shutil.rmtree(folder / "log", ignore_errors=True)
    log = SampleLog(folder / "log", [entry(index) for index in range(SIZE)])
    log.write()
    earlier = log.checkpoint(EARLIER)
    bundle = Bundle(
        entry=log.entries[BUNDLED],
        receipt=Receipt.parse(log.receipt(BUNDLED)),
        openings=(OPENING,),
        before=Before(
            checkpoint=earlier, proof=tuple(log.tree.consistency(EARLIER, SIZE))
        ),
    )
    files = {
        "policy.txt": policy_text(LOG_KEYS, WITNESSES, quorum=2),
        "record.bundle": bundle.encode(),
        "weights.bin": WEIGHTS,
        "entry.bin": log.entries[WITH_RECEIPT],
        "entry.tlog-proof": log.receipt(WITH_RECEIPT),
        "earlier-checkpoint": earlier,
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
