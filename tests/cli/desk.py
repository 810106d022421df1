"""What lies before a person at a terminal: policies, evidence, logs, good and bad."""

from __future__ import annotations

import os
from base64 import b64encode
from dataclasses import replace
from pathlib import Path

from ledger.keys.keyfile import SigningKey
from tests.recordlog import ARTIFACT, INDEX, RecordLog, entries, true_bundle
from tests.testlog import LOG, WITNESSES, checkpoint_text, note, policy_text, signer
from verifier import Receipt
from verifier.keys import KeyType
from verifier.memory import Memory

EXTENDED_TIME = 1_790_000_000


def lay_out(folder: Path) -> dict[str, str]:
    """Fill `folder`; return the values that scripts may name in braces."""
    _evidence(folder)
    _own_files(folder)
    root = _logs(folder)
    return {
        "root_hex": root.hex(),
        "root_upper": root.hex().upper(),
        "root_base64": b64encode(root).decode(),
        "zero_hex": bytes(32).hex(),
        "log": LOG.vkey,
        **{f"w{at}": each.vkey for at, each in enumerate(WITNESSES, start=1)},
    }


def _evidence(folder: Path) -> None:
    bundle = true_bundle()
    (folder / "record.bundle").write_bytes(bundle.encode())
    (folder / "record.entry").write_bytes(bundle.entry)
    (folder / "record.receipt").write_bytes(bundle.receipt.encode())
    forged = replace(bundle, entry=bundle.entry.replace(b"s-1", b"s-2"))
    (folder / "forged.bundle").write_bytes(forged.encode())
    extended = replace(bundle, before=None, receipt=_extended(bundle.receipt))
    (folder / "extended.bundle").write_bytes(extended.encode())
    (folder / "weights.bin").write_bytes(ARTIFACT)
    (folder / "-weights").write_bytes(ARTIFACT)


def _extended(receipt: Receipt) -> Receipt:
    log = RecordLog(entries=entries())
    text = checkpoint_text(11, log.tree.mth(0, 11)) + "an extension line\n"
    lines = [each.line(text) for each in log.witnesses]
    return replace(receipt, checkpoint=note(text, LOG.line(text), *lines))


def _own_files(folder: Path) -> None:
    (folder / "policy").write_bytes(policy_text())
    (folder / "other.policy").write_bytes(
        policy_text(logs=[signer("log.example/other")])
    )
    (folder / "bad.policy").write_bytes(b"# mine\nlog nobody\nquorum none\n")
    (folder / "run.predicate").write_bytes(b'{"loss": 0.10}\n')
    (folder / "empty").touch()
    (folder / "huge").touch()
    os.truncate(folder / "huge", 1 << 32)
    (folder / "void").mkdir()
    (folder / "blocked.misbehaviour").mkdir()
    (folder / "strange").write_bytes(Memory(held=b"no note").encode())
    for name, seed in {"build": b"\x07", "second": b"\x08"}.items():
        key = SigningKey(name, KeyType.ED25519, seed * 32)
        (folder / f"{name}.key").write_text(f"{key.text()}\n")
        (folder / f"{name}.key").chmod(0o600)


def _logs(folder: Path) -> bytes:
    log = RecordLog(folder / "log")
    log.append(*entries())
    RecordLog(folder / "grown").append(*entries(14))
    forked = entries(14)
    forked[INDEX] = forked[INDEX].replace(b"s-1", b"s-2")
    other = RecordLog(folder / "forked")
    other.append(*forked)
    (folder / "forked.checkpoint").write_bytes(other.checkpoint(11))
    damaged = RecordLog(folder / "damaged")
    damaged.append(*entries())
    path = folder / "damaged/tile/entries/000.p/11"
    path.write_bytes(
        b"".join(
            len(each).to_bytes(2, "big") + each for each in forked[: len(entries())]
        )
    )
    return log.tree.mth(0, 11)
