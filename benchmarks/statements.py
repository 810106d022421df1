"""How many statements are admitted, and verified offline, a second and core."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchmarks.measure import in_turn, rate_text, ratio_text
from ledger.keys import registry
from ledger.log.log import Log
from ledger.upkeep.birth import init, new_charter, new_keys
from tests.statements import IN_TOTO, Maker, envelope, in_toto, sign1
from verifier.bundle import Bundle
from verifier.cose import Sign1, for_cose
from verifier.cosekey import thumbprint
from verifier.entry import Entry
from verifier.evidence import parse_evidence, verify_evidence
from verifier.keys import PublicKey, verify_signature
from verifier.policy import Policy
from verifier.producers import Producers
from verifier.receipt import Receipt
from verifier.receipt.line import cose_receipt
from verifier.receipt.transparent import with_receipts
from verifier.report import Report
from verifier.statement import Statement
from verifier.statement.envelope import pae
from verifier.trust import Limits

COUNT = 400
CROWD = 100
"""How many other producers the log has."""
_BODY = b"x" * 500


def run(folder: Path, rounds: int) -> None:
    """Print what was measured."""
    print(
        f"statements of 500 bytes, {COUNT} a round, one core, {CROWD} other producers"
    )
    for kind in ("ed25519", "p-256", "ml-dsa-44"):
        maker = Maker(kind, 7)
        named = {4: thumbprint(maker.public)}
        cose = [
            sign1(b"%06d" % n + _BODY, maker=maker, headers=named) for n in range(COUNT)
        ]
        _measure(folder, rounds, f"COSE {kind}", maker, cose)
    maker = Maker("ed25519", 7)
    nameless = [sign1(b"%06d" % n + _BODY, maker=maker) for n in range(COUNT)]
    _measure(folder, rounds, "COSE ed25519 that names no key", maker, nameless)
    keyid = b'"keyid": "%b", "sig"' % maker.credential.id.encode()
    dsse = [
        envelope(in_toto(f"{n:064x}", predicate={"x": "y" * 400}), maker, type_=IN_TOTO)
        for n in range(COUNT)
    ]
    dsse = [each.replace(b'"sig"', keyid) for each in dsse]
    _measure(folder, rounds, "DSSE in-toto ed25519", maker, dsse)


def _measure(
    folder: Path, rounds: int, name: str, maker: Maker, statements: Sequence[bytes]
) -> None:
    where = folder / name.replace(" ", "-")
    charter = new_charter("log.example/bench", kind="record")
    init(where, charter, new_keys(charter))
    (where / "log.toml").write_text("min_free_bytes = 0\n")
    with Log.open(where) as log:
        for number in range(CROWD):
            other = Maker(number=1_000 + number)
            log.register(registry.add(f"other-{number}", [other.credential]))
        log.register(registry.add("maker", [maker.credential]))
        bare = partial(_bare, maker.public, [_signed(each) for each in statements])
        admit = partial(_admit, log, statements)
        bundles, carried = _logged(log, statements[:COUNT])
        policy = Policy.parse((where / "policy.txt").read_bytes())
        known = log.registry.current()
        works = [
            bare,
            admit,
            partial(_verify, bundles, policy, known),
            *([partial(_verify, carried, policy, known)] if carried else []),
        ]
        taken = in_turn(rounds, *works)
    words = ["bare signatures", "admitted", "bundles verified", "transparent verified"]
    print(f"  {name}")
    for what, times in zip(words, taken, strict=False):
        beside = "" if times is taken[0] else f"  of bare {ratio_text(times, taken[0])}"
        print(f"    {what:<22}{rate_text(COUNT, times)}{beside}")


def _signed(data: bytes) -> tuple[bytes, bytes]:
    """What was signed, and the signature."""
    statement = Statement.parse(data)
    if statement.message is not None:
        return statement.message.message(), statement.message.signature
    assert statement.envelope
    signed = pae(statement.envelope.payload_type, statement.envelope.payload)
    return signed, statement.envelope.signatures[0].signature


def _bare(key: PublicKey, signed: Sequence[tuple[bytes, bytes]]) -> None:
    """The least that anybody must do: one signature of each."""
    if len(signed[0][1]) == 64:
        key = for_cose(key)
    for message, signature in signed:
        verify_signature(key, message, signature)


def _admit(log: Log, statements: Sequence[bytes]) -> None:
    for data in statements:
        log.admission.admit_statement(data, by="s-1")


def _logged(log: Log, statements: Sequence[bytes]) -> tuple[list[bytes], list[bytes]]:
    """A bundle of each, and of those that can carry one a receipt in it."""
    admitted = [log.admission.admit_statement(x, by="s-1") for x in statements]
    answer = log.submit(admitted).wait()
    indexes = [each for each in answer.indexes if each is not None]
    proofs = log.reading.inclusions(indexes, answer.head.size)
    bundles, carried = [], []
    for index, proof, data in zip(indexes, proofs, statements, strict=True):
        entry = log.reading.entry(index)
        receipt = Receipt(index=index, proof=tuple(proof), checkpoint=answer.checkpoint)
        bundles.append(Bundle(entry=entry, receipt=receipt).encode())
        if data.startswith(b"\xd2\x84"):
            made = cose_receipt(receipt, log.keys, Entry.parse(entry))
            carried.append(with_receipts(Sign1.parse(data).bare(), [made]))
    return bundles, carried


def _verify(evidence: Sequence[bytes], policy: Policy, producers: Producers) -> None:
    for data in evidence:
        found = parse_evidence(data)
        verify_evidence(found, policy, Limits(), Report(), producers=producers)
