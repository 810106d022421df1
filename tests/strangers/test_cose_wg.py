"""What the COSE working group has signed is admitted, where the profile lets it.

Its examples name no issuer, so a statement log takes none of them; a record log asks
for none. What the group has spoiled is taken by neither.
"""

import json
from base64 import urlsafe_b64decode
from contextlib import contextmanager

import pytest

from ledger.errors import Refused
from ledger.keys import registry
from tests.foreign import folder
from tests.livelog import LiveLog
from verifier.cose import Sign1
from verifier.entry import Entry
from verifier.keys import Algorithm, PublicKey
from verifier.pem import parse_spki
from verifier.producers.credential import Credential
from verifier.statement import COSE

EXAMPLES = folder("cose-wg-examples")
P256 = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
ML_DSA = "ml-dsa/ML_DSA_44.cose.json"
GOOD = [
    "eddsa-examples/eddsa-sig-01.json",
    "ecdsa-examples/ecdsa-sig-01.json",
    ML_DSA,
]
OTHERS = {
    "ecdsa-examples/ecdsa-sig-02.json": "algorithm",  # P-384
    "ecdsa-examples/ecdsa-sig-04.json": "algorithm",  # P-256 with SHA-512
    "eddsa-examples/eddsa-sig-02.json": "producer",  # Ed448, also called EdDSA
    "sign1-tests/sign-pass-01.json": "algorithm",  # it is named where nobody signs
    "sign1-tests/sign-pass-02.json": "producer",  # signed with data from outside
    "sign1-tests/sign-pass-03.json": "form",  # without a tag
    **{
        f"sign1-tests/sign-fail-{number}.json": check
        for number, check in {
            "01": "form",
            "02": "producer",
            "03": "algorithm",
            "04": "algorithm",
            "06": "producer",
            "07": "producer",
        }.items()
    },
}


def example(path: str) -> tuple[bytes, PublicKey]:
    """What was signed, and the key."""
    case = json.loads((EXAMPLES / path).read_text())
    if path == ML_DSA:
        raw = bytes.fromhex(case["raw_public_key"])
        return bytes.fromhex(case["sign1"]), PublicKey(Algorithm.ML_DSA_44, raw)
    key = case["input"]["sign0"]["key"]
    data = bytes.fromhex(case["output"]["cbor"])
    if key["kty"] == "OKP":
        raw = bytes.fromhex(key["x_hex"])
        return data, PublicKey(Algorithm.ED25519, raw[:32])
    x, y = (urlsafe_b64decode(key[name] + "==") for name in "xy")
    return data, parse_spki(P256 + x + y)


@contextmanager
def knowing(folder, kind):
    """A log that knows the keys of the examples that fit."""
    live = LiveLog(folder / "log", kind=kind, signed=True)
    with live.open() as opened:
        keys = [Credential.of_key(example(path)[1]) for path in GOOD]
        opened.register(registry.add("cose-wg", keys))
        yield opened
    live.check()


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    with knowing(tmp_path_factory.mktemp("records"), "record") as opened:
        yield opened


@pytest.mark.parametrize("path", GOOD)
def test_what_it_has_signed_is_logged_without_what_nobody_has(log, path):
    data, _ = example(path)
    admitted = log.admission.admit_statement(data, by="s-1")
    (index,) = log.submit([admitted]).wait().indexes
    entry = Entry.parse(log.reading.entry(index))
    assert (entry.type, entry.body) == (COSE, Sign1.parse(data).bare())


@pytest.mark.parametrize("path", OTHERS)
def test_what_it_has_spoiled_or_we_do_not_sign_is_refused(log, path):
    case = json.loads((EXAMPLES / path).read_text())
    with pytest.raises(Refused) as caught:
        log.admission.admit_statement(bytes.fromhex(case["output"]["cbor"]), by="s-1")
    assert caught.value.check == OTHERS[path]


def test_a_statement_log_asks_for_an_issuer_that_they_do_not_have(tmp_path):
    with knowing(tmp_path, "statement") as log:
        for path in GOOD:
            data, _ = example(path)
            with pytest.raises(Refused, match="issuer"):
                log.admission.admit_statement(data, by="s-1")
