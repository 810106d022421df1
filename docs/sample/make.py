"""Make the sample evidence anew: python -m docs.sample.make [FOLDER]

Keys, records and times are the same in every run. ML-DSA-44 signatures are not,
so what is in the repository stays as it is until somebody wants other evidence.
"""

from __future__ import annotations

import shutil
import sys
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from capture import Recorder, of_bytes, of_text
from ledger.schema import jsonschema
from ledger.schema.record import SCHEMA
from tests.testlog import TIME, TestLog, checkpoint_text, note, policy_text, signer
from verifier import Bundle, Entry, Receipt, own
from verifier.bundle import Before
from verifier.commitment import Opening, commitment
from verifier.entry import LOG
from verifier.record import MEDIA_TYPE, Record, encode_record
from verifier.spelling import digest_text

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
BEFORE = timedelta(seconds=0.4)
"""One record a minute, made a moment before; witnesses cosign 20 s after the last."""


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
SEALED = (OPENING, WITHHELD)
TEXT = jsonschema.text()
OWN: tuple[own.Own, ...] = (
    {
        "kind": own.GENESIS,
        "format": own.FORMAT,
        "origin": ORIGIN,
        "genesis": made_up("genesis", 16),
        "entries": "record",
        "keys": [key.vkey for key in LOG_KEYS],
    },
    {
        "kind": own.SCHEMA_PUBLISH,
        "schema": SCHEMA,
        "digest": digest_text(sha256(TEXT).digest()),
        "json_schema": TEXT.decode(),
    },
)
"""What the log says of itself, as its first entries."""


def recorder(index: int, actor: str, **always: Any) -> Recorder:
    """Who makes the record at `index`, at its time and with its id."""
    return Recorder(
        actor=actor,
        producer="claims-desk",
        vantage="sdk",
        now=lambda: datetime.fromtimestamp(TIME + index * STEP_S, UTC) - BEFORE,
        new_id=lambda: record_id(index),
        **always,
    )


def ordinary(index: int) -> Record:
    """A record of an agent at work."""
    desk = recorder(
        index, "agent:claims-assistant", workflow_id=f"claim-{index // 4:04}"
    )
    match index % 4:
        case 0:
            return desk.inference(
                {"provider": "example", "request_name": "claims-7b", "version": "8"},
                inputs=[of_text(f"What is to be done with claim {index // 4}?")],
                outputs=[of_text(f"Look it up: claim {index // 4}.", "answer")],
                usage={"input": 900 + index, "output": 120 + index % 50},
            )
        case 1:
            return desk.tool_call("claims.search", side_effect="read")
        case 2:
            document = {"id": f"handbook#{index}", "digest": digest_of(str(index))}
            return desk.retrieval("handbook", documents=[document])
    return desk.policy_decision("no-payments", "allow", version="3")


def fine_tuning() -> Record:
    """The record of the bundle: it made weights.bin, and it holds sealed values."""
    tuner = recorder(BUNDLED, {"id": "agent:tuner", "type": "agent", "version": "1.4"})
    weights = of_bytes(WEIGHTS, "weights", "weights.bin")
    record = tuner.record(
        "model.derive",
        model={
            "base": "hf:example/base-7b@3b18e512dba79e4c8300dd08aeb37f8e728b8dad",
            "digest": weights["digest"],
            "method": "finetune",
        },
        inputs=[{"role": "dataset", "digest": digest_of("dataset")}],
        outputs=[weights],
        evaluation={"name": "claims-eval", "score": "0.71"},
        review={"decision": "approved", "role": "model owner"},
    )
    return record | {"commitments": [sealed(record, each) for each in SEALED]}


def sealed(record: Record, opening: Opening) -> dict[str, Any]:
    """What stands in a record for a value that is kept elsewhere."""
    digest = commitment(
        salt=opening.salt,
        record_id=record["id"],
        path=opening.path,
        value=opening.value,
    )
    return {"path": list(opening.path), "digest": digest_text(digest)}


def body(index: int) -> tuple[str, str, bytes]:
    """Who hands in the entry at `index`, its type and its body."""
    if index < len(OWN):
        return LOG, own.MEDIA_TYPE, own.encode_own(OWN[index])
    record = fine_tuning() if index == BUNDLED else ordinary(index)
    by = f"s-{made_up(f'submitter {index % 3}').hex()[:20]}"
    return by, MEDIA_TYPE, encode_record(record)


def entry(index: int) -> bytes:
    """The entry at `index`."""
    by, type_, data = body(index)
    at = (TIME + index * STEP_S) * 1000
    return Entry(at=at, by=by, type=type_, body=data).encode()


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
