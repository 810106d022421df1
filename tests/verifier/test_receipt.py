"""A receipt has one spelling: known lines, then the checkpoint as it was signed."""

import json
from base64 import b64decode
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.foreign import folder
from tests.testlog import TestLog, b64, receipt_text
from verifier.errors import MalformedError
from verifier.receipt import MAX_BYTES, MAX_EXTRA_BYTES, Receipt

CHECKPOINT = b"log\n9\nroot\n\n\xe2\x80\x94 log sig\n"
HASH = b64(bytes(range(32)))
TRUE = receipt_text(5, [bytes(range(32))], CHECKPOINT)


def refuse(data: bytes, word: str) -> None:
    with pytest.raises(MalformedError, match=word):
        Receipt.parse(data)


def head(*lines: str) -> bytes:
    """A receipt with these lines after the first."""
    text = "".join(f"{line}\n" for line in ("c2sp.org/tlog-proof@v1", *lines))
    return text.encode() + b"\n" + CHECKPOINT


def test_a_receipt_is_read_and_written_again():
    receipt = Receipt.parse(TRUE)
    wanted = Receipt(index=5, proof=(bytes(range(32)),), checkpoint=CHECKPOINT)
    assert receipt == wanted
    assert receipt.encode() == TRUE


def test_the_receipts_of_a_log_are_read_and_written_again(tmp_path):
    log = TestLog(tmp_path, [b"one", b"two", b"three"])
    for index in range(3):
        data = log.receipt(index)
        receipt = Receipt.parse(data)
        assert receipt.index == index
        assert list(receipt.proof) == log.tree.path(index, 3)
        assert receipt.checkpoint.splitlines()[:2] == [b"log.example/test", b"3"]
        assert receipt.encode() == data


def test_the_first_empty_line_ends_the_head():
    for checkpoint in (b"", b"\n", b"\n\n", b"a\n\nb\n\nc\n", b"\xff\r\n\0"):
        receipt = Receipt.parse(receipt_text(5, [], checkpoint))
        assert receipt.checkpoint == checkpoint
        assert receipt.encode() == receipt_text(5, [], checkpoint)


@pytest.mark.parametrize("extra", [b"", b"\n\n", bytes(range(256))])
def test_extra_data_is_carried(extra):
    receipt = replace(Receipt.parse(TRUE), extra=extra)
    assert Receipt.parse(receipt.encode()) == receipt
    assert receipt.encode() == head(f"extra {b64(extra)}", "index 5", HASH)


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "first line"),
        (TRUE.replace(b"@v1", b"@v2"), "first line"),
        (TRUE.replace(b"@v1", b"@v1 "), "first line"),
        (b"\n" + TRUE, "first line"),
        (b"\xef\xbb\xbf" + TRUE, "ASCII"),
        (TRUE[:-1].replace(b"\n", b"\r\n", 2), "first line"),
        (TRUE.replace(b"index", b"\xc4\xb1ndex"), "ASCII"),
        (TRUE.partition(b"\n\n")[0], "no empty line"),
        (TRUE.replace(b"\n\n", b"\n", 1), "hash of the proof"),
        (b"c2sp.org/tlog-proof@v1\n\n" + CHECKPOINT, 'no "index" line'),
        (head(HASH), 'no "index" line'),
        (head("index"), 'no "index" line'),
        (head("Index 5"), 'no "index" line'),
        (head(" index 5"), 'no "index" line'),
        (head("size 9", "index 5"), 'no "index" line'),
        (head("extra", "index 5"), 'no "index" line'),
        (head("extra QQ==", "extra QQ==", "index 5"), 'no "index" line'),
        (head("index 5", "extra QQ=="), "hash of the proof"),
        (head("index 5", "index 5"), "hash of the proof"),
        (head("extra QR==", "index 5"), "canonical"),
        (head("extra QQ", "index 5"), "extra is not base64"),
        (head("extra  QQ==", "index 5"), "extra is not base64"),
    ],
)
def test_a_head_has_known_lines_in_their_order(data, word):
    refuse(data, word)


@pytest.mark.parametrize(
    "index", ["", "05", "+5", "-5", " 5", "5 ", "5_0", "0x5", "5."]
)
def test_an_index_has_one_spelling(index):
    refuse(head(f"index {index}"), "index is not a decimal")


def test_an_index_is_below_2_to_the_63():
    assert Receipt.parse(head(f"index {2**63 - 1}")).index == 2**63 - 1
    refuse(head(f"index {2**63}"), "index is not a decimal")


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_hash_has_32_bytes(size):
    line = b64(bytes(size)) or " "
    refuse(head("index 5", HASH, line), "a hash of the proof")


def test_a_proof_has_at_most_63_hashes():
    assert len(Receipt.parse(head("index 5", *[HASH] * 63)).proof) == 63
    refuse(head("index 5", *[HASH] * 64), "more than 63")


def test_extra_data_has_a_cap():
    most = head(f"extra {b64(bytes(MAX_EXTRA_BYTES))}", "index 5")
    assert len(Receipt.parse(most).extra) == MAX_EXTRA_BYTES
    refuse(head(f"extra {b64(bytes(MAX_EXTRA_BYTES + 1))}", "index 5"), "extra")


def test_a_receipt_has_a_cap():
    room = MAX_BYTES - len(receipt_text(5, [], b""))
    assert Receipt.parse(receipt_text(5, [], b"a" * room)).index == 5
    refuse(receipt_text(5, [], b"a" * (room + 1)), "at most")


@given(st.data())
def test_whatever_is_read_is_written_again_byte_for_byte(data):
    true = head("extra QUI=", "index 5", HASH)
    at = data.draw(st.integers(0, len(true) - 1), label="at")
    other = data.draw(st.binary(max_size=2), label="other")
    spoiled = true[:at] + other + true[at + 1 :]
    try:
        receipt = Receipt.parse(spoiled)
    except MalformedError:
        return
    assert receipt.encode() == spoiled


# --- foreign judges ---


def foreign():
    file = folder("transparency-dev-formats") / "tlog_proof_cases.json"
    return json.loads(file.read_text())


def test_receipts_are_written_as_go_writes_them():
    for case in foreign()["marshal"]:
        receipt = Receipt(
            index=case["index"],
            proof=tuple(map(b64decode, case["hashes"])),
            checkpoint=case["checkpoint"].encode(),
            extra=case["extra"].encode() if "extra" in case else None,
        )
        assert receipt.encode().decode() == case["want"]
        assert Receipt.parse(case["want"].encode()) == receipt


def test_the_receipts_that_go_refuses_are_refused():
    cases = foreign()["reject"]
    assert len(cases) == 8
    for case in cases:
        refuse(case["in"].encode(), ".")


def test_what_go_reads_against_the_specification_is_refused():
    spoiled = {
        "leading zero in index": head("index 05"),
        "CRLF line endings": TRUE.replace(b"\n", b"\r\n"),
        "missing blank line before checkpoint": TRUE.replace(b"\n\n", b"\n"),
        "two extra lines": head("extra QQ==", "extra QQ==", "index 5"),
        "extra after index": head("index 5", "extra QQ=="),
    }
    assert list(spoiled) == foreign()["extra_reject_by_spec_not_upstream"]
    for data in spoiled.values():
        refuse(data, ".")
