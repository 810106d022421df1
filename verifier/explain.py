"""What a file says, without a word on whether it is true."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

from verifier import own
from verifier.bundle import Bundle
from verifier.certificate import Certificate
from verifier.checkpoint import Checkpoint
from verifier.cose import PREFIX as COSE_PREFIX
from verifier.cosignature import split_time
from verifier.document import parse_json
from verifier.entry import PREFIX, Entry
from verifier.errors import MalformedError
from verifier.evidence import parse_evidence
from verifier.explaincose import explain_cose, explain_statement
from verifier.keys import VerifierKey
from verifier.misbehaviour import Misbehaviour
from verifier.note import Note, NoteSignature
from verifier.pem import parse_keys
from verifier.policy import Policy, name_text
from verifier.producers import Producers, register
from verifier.producers.credential import Credential
from verifier.producers.register import Register
from verifier.receipt import FAMILY, Receipt
from verifier.record import MEDIA_TYPE, parse_record
from verifier.report import Report, path_text, time_text
from verifier.spelling import digest_text
from verifier.statement import is_statement
from verifier.statement.own import own_in
from verifier.statement.summary import clip

_ED25519_BYTES = 64
_ML_DSA_44_BYTES = 2420
_TIME_BYTES = 8


def explain(data: bytes, report: Report) -> None:
    """Note in `report` what `data` is and says. Nothing is verified."""
    if data.startswith(COSE_PREFIX):
        explain_cose(data, report)
    elif data.lstrip().startswith(b"{") or data.startswith(FAMILY):
        _explain_document(data, report)
    elif data.startswith(PREFIX):
        _explain_entry(data, report)
    else:
        readers: list[Callable[[bytes, Report], None]] = [
            _explain_note,
            _explain_policy,
            _explain_key,
            _explain_keys,
        ]
        reasons = []
        for reader in readers:
            try:
                reader(data, report)
                break
            except MalformedError as error:
                reasons.append(str(error))
        else:
            raise MalformedError(
                "nothing that is known here; as a signed note: {}; as a policy: {}; "
                "as a key: {}; as a producer's keys: {}".format(*reasons)
            )
    report.notes("inspect", "nothing here was verified")


def _explain_document(data: bytes, report: Report) -> None:
    """What is JSON or a tlog-proof: it says itself what it is."""
    if data.startswith(FAMILY):
        _explain_evidence(data, report)
        return
    document = parse_json(
        data, "it", most=register.MAX_BYTES, values=register.MAX_VALUES
    )
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema == register.SCHEMA:
        _explain_register(data, report)
    elif schema is None and isinstance(document, dict) and _is_signed(document):
        explain_statement(data, report)
    else:
        _explain_evidence(data, report)


def _is_signed(document: dict[str, object]) -> bool:
    return any(name in document for name in ("payload", "payloadType", "mediaType"))


def _explain_register(data: bytes, report: Report) -> None:
    found = Register.parse(data)
    report.notes("register", f"entries about producers: {len(found.entries)}")
    producers = Producers()
    for each in found.entries:
        own = own_in(each.entry)
        if own is None:
            raise MalformedError(f"entry {each.index} is not about producers")
        producers.take(own, each.index)
    for producer in producers:
        for key in producer.credentials:
            report.notes("producer", f"{producer.name}: {key.story}")
    _explain_note(found.checkpoint, report)


def _explain_evidence(data: bytes, report: Report) -> None:
    match parse_evidence(data):
        case Receipt() as receipt:
            _explain_receipt(receipt, report)
        case Misbehaviour() as claim:
            report.notes(
                "misbehaviour", "two checkpoints that are said to contradict each other"
            )
            _explain_note(claim.first, report)
            _explain_note(claim.second, report)
        case found:
            # COSE is told apart by its first bytes, and explained elsewhere.
            assert isinstance(found, Bundle)  # noqa: S101 - nothing else is left
            says = (
                f"an entry of {len(found.entry)} bytes; openings: {len(found.openings)}"
            )
            report.notes("bundle", says)
            _explain_any_entry(found.entry, report)
            for opening in found.openings:
                says = f"{path_text(opening.path)} is said to be {opening.value!r}"
                report.notes(
                    "opening", says, path=list(opening.path), value=opening.value
                )
            _explain_receipt(found.receipt, report)
            if found.before:
                report.notes(
                    "before", f"an earlier checkpoint, {len(found.before.proof)} hashes"
                )
                _explain_note(found.before.checkpoint, report)


def _explain_any_entry(data: bytes, report: Report) -> None:
    """An entry of whatever log it is; of an opaque log it is so many bytes."""
    try:
        if data.startswith(PREFIX):
            _explain_entry(data, report)
        elif data.startswith(COSE_PREFIX):
            explain_statement(data, report)
    except MalformedError as error:
        kind = "record" if data.startswith(PREFIX) else "statement"
        says = f"it begins like an entry of a {kind} log, and is none: {error}"
        report.notes("entry", says)


def _explain_receipt(receipt: Receipt, report: Report) -> None:
    says = f"entry {receipt.index}, a path of {len(receipt.proof)} hashes"
    report.notes("receipt", says, index=receipt.index)
    if receipt.extra is not None:
        report.notes("extra", f"{len(receipt.extra)} bytes under no signature")
    _explain_note(receipt.checkpoint, report)


def _explain_entry(data: bytes, report: Report) -> None:
    entry = Entry.parse(data)
    says = f"by {entry.by} at {time_text(entry.at // 1000)}, {entry.type}"
    report.notes("entry", says, by=entry.by, at=entry.at, type=entry.type)
    report.notes(
        "body",
        f"{len(entry.body)} bytes, {digest_text(sha256(entry.body).digest())}",
    )
    if entry.type == MEDIA_TYPE:
        record = parse_record(entry.body)
        for name, value in record.items():
            report.notes("record", f"{name}: {value!r}")
    elif entry.type == own.MEDIA_TYPE:
        whole = own.parse_own(entry)
        for name, value in whole.items():
            says = f"{name}: {value!r}"
            published = name == own.PUBLISHED.get(whole["kind"])
            report.notes("own", clip(says) if published else says)
    elif is_statement(entry.type):
        explain_statement(entry.body, report)


def _explain_note(data: bytes, report: Report) -> None:
    note = Note.parse(data)
    try:
        checkpoint = Checkpoint.parse(note.text, extensions=True)
    except MalformedError:
        report.notes(
            "note", f"a text of {len(note.text.encode())} bytes", text=note.text
        )
    else:
        says = (
            f"{checkpoint.origin}, size {checkpoint.size}, root {checkpoint.root.hex()}"
        )
        report.notes("checkpoint", says, origin=checkpoint.origin, size=checkpoint.size)
        for line in checkpoint.extensions:
            report.notes("extension", line)
    for each in note.signatures:
        says = f"{each.name}+{each.key_id.hex()}, {_kind_of(each)}"
        report.notes("signature", says, name=each.name, key_id=each.key_id.hex())


def _kind_of(signature: NoteSignature) -> str:
    """What a signature looks like; only its key can tell what it is."""
    size = len(signature.signature)
    if size == _ED25519_BYTES:
        return "Ed25519 by its length"
    names = {_ED25519_BYTES: "Ed25519", _ML_DSA_44_BYTES: "ML-DSA-44"}
    if size - _TIME_BYTES in names:
        try:
            time, _ = split_time(signature.signature)
        except MalformedError:
            return f"{size} bytes"
        name = names[size - _TIME_BYTES]
        return f"{name} cosignature by its length, of {time_text(time)}"
    return f"{size} bytes"


def _explain_policy(data: bytes, report: Report) -> None:
    policy = Policy.parse(data)
    for key in policy.logs:
        report.notes("log", f"{key.name}+{key.id.hex()}, {key.public_key.algorithm}")
    for name, witness in policy.witnesses.items():
        says = (
            f"{name_text(name)}: {witness.key.name}, {witness.key.public_key.algorithm}"
        )
        report.notes("witness", says)
    for name, group in policy.groups.items():
        members = ", ".join(map(name_text, group.members))
        report.notes("group", f"{name_text(name)}: {group.least} of {members}")
    report.notes("quorum", name_text(policy.quorum))


def _explain_keys(data: bytes, report: Report) -> None:
    for each in parse_keys(data):
        kind = "certificate" if isinstance(each, Certificate) else "key"
        report.notes(kind, Credential.of(each).text)


def _explain_key(data: bytes, report: Report) -> None:
    try:
        key = VerifierKey.parse(data.decode().strip())
    except UnicodeDecodeError:
        raise MalformedError("it is not valid UTF-8") from None
    report.notes("key", f"{key.name}, {key.public_key.algorithm}, id {key.id.hex()}")
