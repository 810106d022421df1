"""A log's keys are in one file, which has one reading and says which log it is for.

Nothing that is ever said about it shows a seed.
"""

import json
import traceback
from base64 import b64encode
from hashlib import sha256

import pytest

from ledger.errors import Held
from ledger.keys.keyfile import (
    KeyFile,
    SigningKey,
    read_key_file,
    read_note_key,
    write_key_file,
)
from tests import testlog
from tests.foreign import folder
from verifier.errors import MalformedError
from verifier.keys import KeyType, VerifierKey

ORIGIN = "log.example/keys"
ED25519 = SigningKey(ORIGIN, KeyType.ED25519, sha256(b"1").digest())
ML_DSA = SigningKey(ORIGIN, KeyType.ML_DSA_COSIGNATURE, sha256(b"2").digest())
NEXT = SigningKey(ORIGIN, KeyType.ED25519, sha256(b"3").digest())
KEYS = KeyFile((ED25519, ML_DSA), bytes(range(16)))
GENESIS = "genesis 000102030405060708090a0b0c0d0e0f"


@pytest.fixture
def path(tmp_path):
    write_key_file(tmp_path / "log.keys", KEYS)
    return tmp_path / "log.keys"


def shows_a_seed(text: str) -> bool:
    """Whether `text` has the middle of a seed in one of the ways to write it."""
    blobs = [bytes([key.type.value]) + key.seed for key in KEYS.keys]
    middles = [b64encode(blob).decode()[8:24] for blob in blobs]
    middles += [key.seed[8:16].hex() for key in KEYS.keys]
    middles += [repr(key.seed[8:16])[2:-1] for key in KEYS.keys]
    return any(middle in text for middle in middles)


# The form


def test_the_file_is_a_line_for_each_key_and_one_for_the_log_it_is_for():
    assert KEYS.text() == f"{ED25519.text()}\n{ML_DSA.text()}\n{GENESIS}\n"


def test_what_was_written_is_read_again_oldest_key_first(path):
    assert read_key_file(path) == KEYS
    rotating = KeyFile((ED25519, ML_DSA, NEXT), KEYS.genesis)
    write_key_file(path, rotating)
    assert read_key_file(path) == rotating
    assert read_key_file(path).origin == ORIGIN


@pytest.mark.parametrize("key", [ED25519, ML_DSA], ids=["Ed25519", "ML-DSA-44"])
def test_the_public_half_is_the_one_that_the_specification_makes(key):
    ours = testlog.Signer(key.name, key.type.value, key.seed)
    assert key.verifier_key.text() == ours.vkey


def test_a_key_of_gos_note_package_is_read_and_written_as_it_is():
    vectors = json.loads((folder("golang-xmod") / "note_vectors.json").read_text())
    known = vectors["sign_kat"]
    text = "+".join(known["skey_parts"])
    key = SigningKey.parse(text)
    assert key.verifier_key == VerifierKey.parse(known["vkey"])
    assert key.text() == text


@pytest.mark.parametrize("kind", [KeyType.ED25519, KeyType.ML_DSA_COSIGNATURE])
def test_a_generated_key_is_a_new_one_each_time(kind):
    keys = [SigningKey.generate(ORIGIN, kind) for _ in range(2)]
    assert keys[0].seed != keys[1].seed
    assert [SigningKey.parse(key.text()) for key in keys] == keys


LINE = ED25519.text()
SPOILED = {
    "without its first words": (LINE.removeprefix("PRIVATE+KEY+"), "is a public one"),
    "a public key": (ED25519.verifier_key.text(), "is a public one, and cannot sign"),
    "a capital id": (LINE.replace(ED25519.verifier_key.id.hex(), "ABCDEF01"), "8 hex"),
    "the id of another": (
        LINE.replace(ED25519.verifier_key.id.hex(), NEXT.verifier_key.id.hex()),
        "id of a signing key is not that",
    ),
    "another name": (LINE.replace(ORIGIN, "log.example/other"), "one of the three was"),
    "no name": (LINE.replace(ORIGIN, ""), "a key name is empty"),
    "a name that no policy can list": (LINE.replace(ORIGIN, "\x7f"), "no control"),
    "a name too long for ML-DSA-44": (LINE.replace(ORIGIN, "é" * 128), "255 bytes"),
    "a longer seed": (
        LINE[:-44] + b64encode(b"\x01" + ED25519.seed + b"\0").decode(),
        "32 bytes, not 33",
    ),
    "a seed without a type": (
        LINE[:-44] + b64encode(ED25519.seed).decode(),
        "of an unknown type",
    ),
    "nothing": (LINE[:-44], "of an unknown type"),
    "the type of a witness": (
        LINE[:-44] + b64encode(b"\x04" + ED25519.seed).decode(),
        r"0x01 \(Ed25519\) or 0x06 \(ML-DSA-44\)",
    ),
    "no base64": (LINE + "é", "is not base64"),
    "a shorter seed": (
        LINE[:-44] + b64encode(b"\x01" + ED25519.seed[1:]).decode(),
        "32 bytes, not 31",
    ),
    "base64 of two spellings": (LINE[:-1] + "=", "not in its one canonical form"),
    "a carriage return": (LINE + "\r", "is not base64"),
}


@pytest.mark.parametrize("spoiled", SPOILED)
def test_a_spoiled_key_is_refused_with_its_line(path, spoiled):
    line, words = SPOILED[spoiled]
    path.write_text(f"{ML_DSA.text()}\n{line}\n{GENESIS}\n", newline="")
    with pytest.raises(Held, match=f"line 2: .*({words})") as caught:
        read_key_file(path)
    assert caught.value.state == "key_damaged"
    assert "backup" in caught.value.mend


@pytest.mark.parametrize("spoiled", SPOILED)
def test_a_refusal_shows_no_seed(path, spoiled):
    path.write_text(f"{SPOILED[spoiled][0]}\n{ML_DSA.text()}\n{GENESIS}\n", newline="")
    for read in (read_key_file, read_note_key):
        with pytest.raises(Held) as caught:
            read(path)
        error = caught.value
        shown = [
            str(error),
            repr(error),
            error.mend,
            *traceback.format_exception(error),
        ]
        assert not shows_a_seed("".join(shown))


def test_keys_show_themselves_without_their_seeds():
    assert shows_a_seed(ED25519.text())
    assert shows_a_seed(ED25519.seed.hex())
    assert shows_a_seed(str(ED25519.seed))
    for each in (*KEYS.keys, KEYS):
        assert ORIGIN in repr(each)
        assert not shows_a_seed(f"{each} {each!r}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        KEYS.text()[:-1],
        KEYS.text() + "\n",
        KEYS.text().replace(f"{GENESIS}\n", ""),
        KEYS.text().replace(GENESIS, GENESIS[:-1]),
        KEYS.text().replace(GENESIS, GENESIS.upper()),
        KEYS.text() + ED25519.text() + "\n",
    ],
    ids=["empty", "cut", "longer", "none", "short", "capitals", "in the middle"],
)
def test_a_file_that_does_not_end_in_its_birth_id_is_refused(path, text):
    path.write_text(text)
    with pytest.raises(Held, match='the last line is not "genesis", 32') as caught:
        read_key_file(path)
    assert caught.value.state == "key_damaged"


@pytest.mark.parametrize(
    ("keys", "genesis", "words"),
    [
        ((), KEYS.genesis, "no Ed25519 key"),
        ((ML_DSA,), KEYS.genesis, "no Ed25519 key"),
        ((ED25519, ED25519), KEYS.genesis, "each key stands there once"),
        (
            (ED25519, SigningKey("log.example/b", ML_DSA.type, ML_DSA.seed)),
            KEYS.genesis,
            "keys of several names",
        ),
        ((ED25519,), bytes(15), "16 bytes"),
    ],
    ids=["no key", "ML-DSA-44 alone", "a key twice", "two names", "a short birth id"],
)
def test_keys_that_cannot_be_those_of_one_log_are_refused(keys, genesis, words):
    with pytest.raises(MalformedError, match=words):
        KeyFile(keys, genesis)


# A key that was there before the log


@pytest.mark.parametrize("end", ["\n", ""], ids=["a newline", "no newline"])
def test_a_log_can_begin_with_a_key_of_gos_note_package(path, end):
    path.write_text(ED25519.text() + end)
    assert read_note_key(path) == ED25519


@pytest.mark.parametrize(
    ("text", "state", "words"),
    [
        (KEYS.text(), "key_taken", "is the key file of a log already.*two histories"),
        (f"{LINE}\n{GENESIS}", "key_taken", "give the new log a key of its own"),
        (ML_DSA.text(), "key_unfit", "an ML-DSA-44 key. A log begins with an Ed25519"),
        (f"{LINE}\n{NEXT.text()}\n", "key_damaged", "one signing key on one line"),
        (LINE + "\n\n", "key_damaged", "one signing key on one line"),
        (ED25519.verifier_key.text(), "key_damaged", "is a public one"),
        ("", "key_damaged", "a signing key is PRIVATE"),
    ],
    ids=["taken", "taken alone", "ML-DSA-44", "two keys", "more", "public", "empty"],
)
def test_a_log_cannot_begin_with_anything_else(path, text, state, words):
    path.write_text(text)
    with pytest.raises(Held, match=words) as caught:
        read_note_key(path)
    assert caught.value.state == state
