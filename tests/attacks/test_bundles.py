"""A bundle cannot talk its way past the auditor: through the whole command line.

The attacker writes every byte of the evidence, and owns a record or two in the
log. The policy is the auditor's own.
"""

import base64
import json
import re
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from tests.auditor import Auditor
from tests.recordlog import (
    ARTIFACT,
    INDEX,
    OPENED,
    TIMES,
    bundle_of,
    committed,
    record,
    record_log,
    true_bundle,
    wrapped,
)
from tests.testlog import LOG, checkpoint_text, note, policy_text, signer
from verifier.bundle import Bundle
from verifier.record import encode_record

EVIL = signer("log.example/evil")


@pytest.fixture
def auditor(tmp_path, capsys):
    return Auditor(tmp_path, capsys)


def with_member(name: str, value: object) -> bytes:
    document = json.loads(true_bundle().encode())
    return json.dumps(document | {name: value}).encode()


def test_a_true_bundle_holds(auditor):
    file = auditor.file("weights", ARTIFACT)
    assert auditor.verify(true_bundle().encode(), "--artifact", file) == 0
    assert not auditor.err


# Trust from the evidence


@pytest.mark.parametrize("name", ["key", "keys", "policy", "trust", "log", "vkey"])
def test_a_bundle_with_a_key_or_a_policy_of_its_own_is_refused(auditor, name):
    assert auditor.verify(with_member(name, EVIL.vkey)) == 1
    assert f"a member '{name}' that nobody reads" in auditor.err


def test_a_log_that_only_the_bundle_knows_is_not_believed(auditor):
    log = record_log()
    text = checkpoint_text(11, log.tree.mth(0, 11), EVIL.name)
    lines = [EVIL.line(text), *(each.line(text) for each in log.witnesses)]
    true = true_bundle()
    forged = replace(true.receipt, checkpoint=note(text, *lines))
    assert auditor.verify(replace(true, receipt=forged, before=None).encode()) == 1
    assert "error: log: the checkpoint is by the log" in auditor.err


def test_keys_in_the_receipts_extra_data_are_not_read(auditor):
    true = true_bundle()
    extra = replace(true.receipt, extra=f"log {EVIL.vkey}\nquorum none\n".encode())
    assert auditor.verify(replace(true, receipt=extra).encode(), "--json") == 0
    assert EVIL.name not in auditor.out


def test_a_policy_in_a_record_is_a_record(auditor):
    told = record(INDEX, policy=policy_text([EVIL], quorum=0).decode())
    assert auditor.verify(bundle_of(wrapped(encode_record(told))).encode()) == 0
    assert "quorum      holds   cosigned by w1" in auditor.out


def test_a_fork_that_no_witness_saw_is_refused(auditor):
    forked = bundle_of(wrapped(encode_record(record(INDEX, kind="other"))))
    text = forked.receipt.checkpoint.decode().partition("\n\n")[0] + "\n"
    alone = replace(forked.receipt, checkpoint=note(text, LOG.line(text)))
    assert auditor.verify(forked.encode()) == 0
    assert auditor.verify(replace(forked, receipt=alone).encode()) == 1
    assert "error: quorum: " in auditor.err


# Parts of two true bundles

ONE, OTHER = true_bundle(), record_log().bundle(INDEX + 1, OPENED)


def _with_receipt(**changes: Any) -> Bundle:
    return replace(ONE, receipt=replace(ONE.receipt, **changes))


@pytest.mark.parametrize(
    ("mixed", "check"),
    [
        (replace(ONE, entry=OTHER.entry), "inclusion"),
        (replace(ONE, receipt=OTHER.receipt), "inclusion"),
        (_with_receipt(index=7), "inclusion"),
        (_with_receipt(proof=OTHER.receipt.proof), "inclusion"),
        (_with_receipt(checkpoint=record_log().cosigned(4, TIMES)), "form"),
    ],
    ids=["entry", "receipt", "index", "proof", "checkpoint"],
)
def test_parts_of_two_true_bundles_do_not_make_a_third(auditor, mixed, check):
    assert auditor.verify(mixed.encode(), "--json") == 1
    assert auditor.document["holds"] is False
    assert auditor.document["check"] == check


def test_a_swapped_artifact_is_refused(auditor):
    file = auditor.file("weights", ARTIFACT + b" and a back door")
    assert auditor.verify(ONE.encode(), "--artifact", file) == 1
    assert "error: artifact: " in auditor.err


def test_a_true_bundle_for_another_entry_than_the_one_in_hand_is_refused(auditor):
    entry = auditor.file("entry", OTHER.entry)
    assert auditor.verify(ONE.encode(), "--entry", entry) == 1
    assert "error: entry: " in auditor.err


def test_a_file_named_only_in_a_commitment_of_the_attacker_is_not_described(auditor):
    listed = [
        {"path": ["weights"], "digest": f"sha256:{sha256(b'evil').hexdigest()}"},
        *committed(INDEX, OPENED),
    ]
    told = record(INDEX, outputs=[], commitments=listed)
    file = auditor.file("weights", b"evil")
    data = bundle_of(wrapped(encode_record(told))).encode()
    assert auditor.verify(data, "--artifact", file) == 1
    assert "error: artifact: " in auditor.err


# The terminal

INJECTIONS = {
    "clear": "\x1b[2J\x1b[H",
    "hyperlink": "\x1b]8;;https://evil.example\x07holds\x1b]8;;\x07",
    "title": "\x1b]0;pwned\x07",
    "line": "x\nquorum      holds   cosigned by everybody",
    "return": "\rquorum      holds",
    "c1": "\x9b2J",
    "override": "\u202esdloh\u202c",
    "zero width": "h\u200bolds",
    "delete": "\x7f" * 20,
    "separator": "x\u2028quorum      holds",
}
OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\ufeff]")


def hostile_bundle(text: str) -> Bundle:
    opening = replace(OPENED, path=("prompt", text), value={text: [text]})
    told = record(INDEX, commitments=committed(INDEX, opening), **{text: {text: text}})
    return bundle_of(wrapped(encode_record(told)), opening)


@pytest.mark.parametrize("text", INJECTIONS.values(), ids=INJECTIONS)
@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "json"])
def test_no_field_of_a_record_reaches_the_terminal_unescaped(auditor, text, options):
    data = hostile_bundle(text).encode()
    assert auditor.verify(data, *options) == 0
    said = auditor.out + auditor.err
    auditor.run("inspect", *options, auditor.file("bundle", data))
    said += auditor.out + auditor.err
    assert not OBEYED.search(said)
    assert len(re.findall("^quorum", said, re.MULTILINE)) == (not options)


@pytest.mark.parametrize("text", INJECTIONS.values(), ids=INJECTIONS)
def test_no_refusal_quotes_the_attacker_unescaped(auditor, text):
    for data in [
        with_member(text, 1),
        with_member("schema", text),
        json.dumps({"schema": text}).encode(),
        f"{text}".encode(),
        f"c2sp.org/tlog-proof@v1\n{text}\n\n".encode(),
    ]:
        for options in [[], ["--json"]]:
            assert auditor.verify(data, *options) == 1
            assert not OBEYED.search(auditor.out + auditor.err)


def test_a_hostile_origin_is_escaped(auditor):
    name = "log.example/\u202e\x85\x9b2J"
    text = checkpoint_text(11, bytes(32), name)
    forged = replace(ONE.receipt, checkpoint=note(text, EVIL.line(text)))
    data = replace(ONE, receipt=forged).encode()
    assert auditor.verify(data) == 1
    assert not OBEYED.search(auditor.out + auditor.err)


def test_an_opaque_entry_in_base64_is_not_decoded_twice(auditor):
    data = bundle_of(base64.b64encode(ONE.entry)).encode()
    assert auditor.verify(data) == 0
    assert "\nrecord " not in auditor.out
