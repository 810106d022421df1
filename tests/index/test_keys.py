"""An entry is found by its digests and its record id, and by nothing it only hides."""

import re
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import Refused
from ledger.index.keys import (
    KEY_BYTES,
    digest_name,
    has_name,
    key,
    keys_of,
    names_of,
    record_name,
)
from tests.log.fakes import sign1
from tests.recordlog import (
    ARTIFACT_DIGEST,
    CLOSED,
    OPENED,
    bundle_of,
    check,
    committed,
    record,
    record_id,
    wrapped,
)
from tests.statements import IN_TOTO, envelope, in_toto
from tests.statements import sign1 as statement_of
from verifier import cbor
from verifier.errors import ArtifactError, MalformedError
from verifier.own import MEDIA_TYPE as OWN
from verifier.record import encode_record, parse_record, texts
from verifier.spelling import digest_text, parse_digest
from verifier.statement import COSE
from verifier.statement.envelope import MEDIA_TYPE as DSSE

KINDS = ("record", "statement", "opaque")


def digest_of(data: bytes) -> bytes:
    return digest_name(sha256(data).digest())


def numbered_digest(number: int) -> str:
    return digest_text(sha256(b"%d" % number).digest())


DIGESTS = [numbered_digest(number) for number in range(2)]


def entry_of(**members) -> bytes:
    """An entry of a record log, with a record that mentions ARTIFACT_DIGEST."""
    return wrapped(encode_record(record(6, **members)))


# What is found


@pytest.mark.parametrize("kind", KINDS)
def test_in_every_log_an_entry_is_found_by_its_bytes(kind):
    for entry in (b"", b"anything", entry_of(), sign1()):
        assert names_of(entry, kind)[0] == digest_of(entry)


def test_a_record_is_found_by_its_body_its_id_and_what_it_mentions():
    body = encode_record(record(6))
    assert names_of(wrapped(body), "record") == [
        digest_of(wrapped(body)),
        digest_of(body),
        record_name(record_id(6)),
        digest_name(parse_digest(ARTIFACT_DIGEST)),
    ]


def test_a_digest_is_found_however_deep_it_stands():
    deep = {"a": [{"b": [numbered_digest(1)]}], "c": numbered_digest(2)}
    names = names_of(entry_of(deep=deep), "record")
    for number in (1, 2):
        assert digest_of(b"%d" % number) in names


@pytest.mark.exhaustive
def test_all_that_a_record_has_room_for_is_found():
    many = [numbered_digest(number) for number in range(880)]
    entry = entry_of(outputs=[], many=many)
    with pytest.raises(MalformedError, match="bytes"):
        entry_of(outputs=[], many=[*many, *map(numbered_digest, range(20))])
    mentioned = [digest_name(parse_digest(each)) for each in many]
    assert names_of(entry, "record")[3:] == mentioned
    assert keys_of(entry, "record")[3:] == [name[:KEY_BYTES] for name in mentioned]
    assert all(has_name(entry, "record", name) for name in mentioned)


def test_one_that_is_mentioned_twice_has_one_key():
    names = keys_of(entry_of(again=ARTIFACT_DIGEST), "record")
    assert len(names) == len(set(names)) == 4


@pytest.mark.parametrize("kind", ["opaque", "record"])
@pytest.mark.parametrize("form", ["bytes", "hex", "text"])
def test_a_file_is_found_where_its_digest_is_all_that_was_logged(kind, form):
    digest = sha256(b"a file").digest()
    forms = {
        "bytes": digest,
        "hex": digest.hex().encode(),
        "text": digest_text(digest).encode(),
    }
    content = forms[form]
    entry = wrapped(content, type="text/plain") if kind == "record" else content
    assert digest_of(b"a file") in names_of(entry, kind)


def test_a_key_is_the_beginning_of_a_name():
    entry = entry_of()
    assert keys_of(entry, "record") == [
        name[:KEY_BYTES] for name in names_of(entry, "record")
    ]
    digest = sha256(entry).digest()
    assert key("digest", digest[:16]) == keys_of(entry, "record")[0]


def test_a_digest_and_an_id_of_the_same_bytes_are_not_mixed_up():
    assert key("digest", bytes(16)) != key("record", bytes(16))


def describes(entry: bytes, digest: bytes) -> bool:
    """What the verifier says: whether `entry` describes the file of `digest`."""
    try:
        check(bundle_of(entry), artifact=digest)
    except ArtifactError:
        return False
    return True


def test_the_verifier_takes_for_the_records_file_what_is_found_by_its_digest():
    inputs = [numbered_digest(1), {"digest": numbered_digest(2), "size": "12"}]
    entry = entry_of(inputs=inputs, note=f"see {numbered_digest(3)}")
    hidden = [each["digest"] for each in committed(6, OPENED, CLOSED)]
    found = {}
    for text in (*map(numbered_digest, range(5)), ARTIFACT_DIGEST, *hidden):
        digest = parse_digest(text)
        found[text] = digest_name(digest) in names_of(entry, "record")
        assert found[text] == describes(entry, digest)
    assert sum(found.values()) == 3


@pytest.mark.parametrize(
    "content",
    [
        sha256(b"1").digest(),
        sha256(b"1").hexdigest().encode(),
        sha256(b"1").hexdigest().upper().encode(),
        numbered_digest(1).encode(),
        numbered_digest(1).encode() + b"\n",
        b"1",
        b"2",
    ],
    ids=["bytes", "hex", "upper case", "text", "a line", "the file", "another file"],
)
def test_the_verifier_takes_for_the_file_what_is_found_in_an_opaque_log(content):
    there = digest_of(b"1") in names_of(content, "opaque")
    assert there == describes(content, sha256(b"1").digest())


# Statements


ABOUT = in_toto(sha256(b"1").hexdigest())
HASHED = statement_of(
    sha256(b"1").digest(), headers={258: -16, 259: "text/plain", 3: None}
)
STATEMENTS = {
    "a payload": (statement_of(b"1"), COSE),
    "a digest": (HASHED, COSE),
    "subjects": (statement_of(ABOUT, headers={3: IN_TOTO}), COSE),
    "an envelope": (envelope(b"1"), DSSE),
    "subjects in an envelope": (envelope(ABOUT, type_=IN_TOTO), DSSE),
}


def entries_with(name: str) -> dict[str, bytes]:
    """The entries that a log of each kind makes of a statement, where it takes it."""
    data, type_ = STATEMENTS[name]
    found = {"record": wrapped(data, type=type_)}
    return found | ({"statement": data} if type_ == COSE else {})


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_is_found_by_what_it_is_about(name):
    for kind, entry in entries_with(name).items():
        names = names_of(entry, kind)
        assert digest_of(b"1") in names
        assert digest_of(STATEMENTS[name][0]) in names
        assert digest_of(b"2") not in names


@pytest.mark.parametrize("name", STATEMENTS)
def test_the_verifier_takes_for_its_file_what_is_found_by_its_digest(name):
    for kind, entry in entries_with(name).items():
        for content in (b"1", b"2"):
            there = digest_of(content) in names_of(entry, kind)
            assert there == describes(entry, sha256(content).digest())


def test_every_subject_of_a_statement_is_a_name():
    subjects = [
        {"digest": {"sha256": sha256(b"%d" % number).hexdigest()}}
        for number in range(400)
    ]
    data = envelope(in_toto(subject=subjects), type_=IN_TOTO)
    names = names_of(wrapped(data, type=DSSE), "record")
    assert {digest_of(b"%d" % number) for number in range(400)} < set(names)
    assert len(names) == 403


def test_a_digest_by_another_algorithm_is_no_name():
    subjects = [{"digest": {"sha512": "5" * 128, "blake3": "6" * 64}}]
    data = envelope(in_toto(subject=subjects), type_=IN_TOTO)
    assert len(names_of(wrapped(data, type=DSSE), "record")) == 3


@pytest.mark.parametrize(
    "body", [b"", b"\xff", bytes(32), b"{}", statement_of()[:-1]], ids=len
)
def test_what_is_no_statement_but_says_so_is_found_by_its_bytes_and_its_body(body):
    entry = wrapped(body, type=COSE)
    assert names_of(entry, "record") == [digest_of(entry), digest_of(body)]
    assert names_of(body, "statement") == [digest_of(body)]


def test_what_looks_like_a_statement_in_a_log_of_bytes_is_bytes():
    assert names_of(statement_of(), "opaque") == [digest_of(statement_of())]


@pytest.mark.parametrize("kind", KINDS)
def test_an_entry_has_the_names_that_it_is_found_by_and_no_other(kind):
    entry = entry_of()
    others = [record_name(record_id(7)), digest_of(b"x"), *names_of(b"y", kind)]
    for name in [*names_of(entry, "record"), *others]:
        assert has_name(entry, kind, name) == (name in names_of(entry, kind))


# What is not


def test_a_commitments_digest_is_not_the_digest_of_a_file():
    names = names_of(entry_of(), "record")
    for each in parse_record(encode_record(record(6)))["commitments"]:
        assert digest_name(parse_digest(each["digest"])) not in names


@pytest.mark.parametrize(
    "text",
    [
        f"see {numbered_digest(1)}",
        numbered_digest(1) + "0",
        numbered_digest(1).upper(),
        numbered_digest(1).removeprefix("sha256:"),
        numbered_digest(1) + "\n",
    ],
    ids=["inside", "longer", "upper case", "bare", "a line"],
)
def test_a_text_that_is_not_just_a_digest_is_no_mention(text):
    assert digest_of(b"1") not in names_of(entry_of(text=text), "record")


@pytest.mark.parametrize("content", [b"x" * 31, b"f" * 63, b"F" * 64, b"sha256:"])
def test_bytes_that_are_no_digest_have_one_name_in_an_opaque_log(content):
    assert names_of(content, "opaque") == [digest_of(content)]


@pytest.mark.parametrize("kind", ["opaque", "statement"])
def test_what_looks_like_a_record_in_another_log_is_bytes(kind):
    assert names_of(entry_of(), kind) == [digest_of(entry_of())]


def test_a_statement_is_never_just_a_digest():
    assert names_of(bytes(32), "statement") == [digest_of(bytes(32))]


@pytest.mark.parametrize(
    "body",
    [
        cbor.encode({"id": "x", "file": numbered_digest(1)}),
        cbor.encode({"file": numbered_digest(1)}),
        cbor.encode([numbered_digest(1)]),
        b"\xff",
        b"",
    ],
    ids=["no UUID", "no id", "no map", "no CBOR", "nothing"],
)
def test_what_is_no_record_but_says_so_is_found_by_its_bytes_and_its_body(body):
    entry = wrapped(body)
    assert names_of(entry, "record") == [digest_of(entry), digest_of(body)]


def test_the_logs_own_entries_have_no_record_id():
    entry = wrapped(encode_record(record(6)), by="log", type=OWN)
    assert len(names_of(entry, "record")) == 2


@given(
    st.binary(max_size=200)
    | st.binary(max_size=99).map(wrapped)
    | st.binary(max_size=99).map(lambda body: wrapped(body, type=COSE))
)
def test_whatever_is_in_a_record_log_is_found_by_its_bytes_at_least(entry):
    assert digest_of(entry) in names_of(entry, "record")


@pytest.mark.parametrize(
    "text",
    [record_id(1).upper(), record_id(1).replace("-", ""), f"{{{record_id(1)}}}", "1"],
    ids=["upper case", "no dashes", "in braces", "a number"],
)
def test_an_id_has_one_spelling(text):
    with pytest.raises(ValueError, match="UUID"):
        record_name(text)


@pytest.mark.parametrize("start", [b"", bytes(15), bytes(17), bytes(32)], ids=len)
def test_what_is_no_start_of_a_name_is_refused(start):
    with pytest.raises(Refused, match="16 bytes") as caught:
        key("digest", start)
    assert caught.value.check == "key"


def test_a_kind_of_name_that_there_is_not_is_refused():
    with pytest.raises(Refused, match="digest or record"):
        key("path", bytes(16))


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"note": "ä", "inputs": [{"digest": DIGESTS[0]}]},
        {"a": DIGESTS[0], "z": {"deep": [DIGESTS[1], DIGESTS[0]]}},
        {"note": f"as {DIGESTS[0]}", "other": DIGESTS[1].upper()},
        {f"n{number}": DIGESTS[1] for number in range(30)},
        {"commitments": [{"path": ["a"], "digest": DIGESTS[0]}], "b": DIGESTS[1]},
    ],
    ids=["none", "one", "deep", "inside", "many", "sealed"],
)
def test_what_is_read_out_of_the_bytes_is_what_a_reader_of_the_record_finds(more):
    body = encode_record({"id": record_id(1), **more})
    record = parse_record(body)
    open_ = {name: each for name, each in record.items() if name != "commitments"}
    digest = "sha256:[0-9a-f]{64}"
    said = [text for _, text in texts(open_) if re.fullmatch(digest, text)]
    found = names_of(wrapped(body), "record")[2:]
    mentioned = [digest_name(parse_digest(each)) for each in said]
    assert found == list(dict.fromkeys([record_name(record_id(1)), *mentioned]))
