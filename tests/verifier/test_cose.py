"""A COSE_Sign1 holds for the pinned key, over the bytes as they came, and no more."""

import json
from base64 import urlsafe_b64decode
from dataclasses import replace

import cbor2
import nacl.signing
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.foreign import folder
from tests.statements import CI, Maker, sign1, signed
from verifier.cose import ALGORITHMS, Sign1, verify_sign1
from verifier.errors import MalformedError, SignatureError
from verifier.keys import Algorithm, PublicKey

EXAMPLES = folder("cose-wg-examples")
MAKERS = {kind: Maker(kind) for kind in ("ed25519", "ml-dsa-44", "p-256")}


def example(path: str) -> dict:
    found: dict = json.loads((EXAMPLES / path).read_text())
    return found


def key_of(case: dict) -> PublicKey:
    """The public key of an example of the COSE working group."""
    key = case["input"]["sign0"]["key"]
    if key["kty"] == "OKP":
        raw = bytes.fromhex(key["x_hex"])
        return PublicKey(Algorithm.ED25519, raw)
    x, y = (_coordinate(key[name]) for name in ("x", "y"))
    prefix = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")
    return PublicKey(Algorithm.ECDSA_P256, prefix + b"\x04" + x + y)


def _coordinate(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def holds(data: bytes, key: PublicKey, **options) -> bool:
    try:
        verify_sign1(Sign1.parse(data), key, **options)
    except (MalformedError, SignatureError):
        return False
    return True


# The examples of strangers


def test_the_working_groups_signatures_hold():
    for path in (
        "ecdsa-examples/ecdsa-sig-01.json",
        "ecdsa-examples/ecdsa-sig-04.json",
        "eddsa-examples/eddsa-sig-01.json",
        "sign1-tests/sign-pass-01.json",
        "sign1-tests/sign-pass-02.json",
        "sign1-tests/sign-pass-03.json",
    ):
        case = example(path)
        data = bytes.fromhex(case["output"]["cbor"])
        # Why each of them holds here, or does not: the profile is narrower.
        wanted = {
            "eddsa-sig-01.json": True,
            "ecdsa-sig-01.json": True,
            "ecdsa-sig-04.json": False,  # P-256 with SHA-512, which RFC 9864 has ended
            "sign-pass-01.json": False,  # its algorithm is in the unprotected header
            "sign-pass-02.json": False,  # it is signed with data from outside
            "sign-pass-03.json": False,  # it has no tag
        }[path.partition("/")[2]]
        assert holds(data, key_of(case)) == wanted, path


def test_what_the_working_group_signs_is_what_we_say_is_signed():
    for path in (
        *("sign1-tests/sign-pass-01.json", "eddsa-examples/eddsa-sig-01.json"),
        *("ecdsa-examples/ecdsa-sig-02.json", "ecdsa-examples/ecdsa-sig-03.json"),
    ):
        case = example(path)
        message = Sign1.parse(bytes.fromhex(case["output"]["cbor"])).message()
        assert message.hex().upper() == case["intermediates"]["ToBeSign_hex"]


@pytest.mark.parametrize("number", ["01", "02", "03", "04", "06", "07"])
def test_what_the_working_group_has_spoiled_does_not_hold(number):
    case = example(f"sign1-tests/sign-fail-{number}.json")
    assert case["fail"]
    assert not holds(bytes.fromhex(case["output"]["cbor"]), key_of(case))


def test_an_ml_dsa_44_signature_of_strangers_holds():
    case = example("ml-dsa/ML_DSA_44.cose.json")
    data = bytes.fromhex(case["sign1"])
    key = PublicKey(Algorithm.ML_DSA_44, bytes.fromhex(case["raw_public_key"]))
    assert Sign1.parse(data).message().hex() == case["raw_to_be_signed"]
    assert holds(data, key)
    assert not holds(data[:-1] + bytes([data[-1] ^ 1]), key)


@pytest.mark.parametrize("name", ["valid-eddsa", "valid-es256", "fail-tampered-path"])
def test_statements_of_scitt_cose_are_read_though_their_headers_are_not_sorted(name):
    case = folder("scitt-cose") / "v1" / name
    expected = json.loads((case / "expected.json").read_text())
    message = Sign1.parse((case / "statement.cose").read_bytes())
    stated = expected["protected_header"]["statement"]
    assert list(message.headers) == [3, 15, 1]
    assert message.headers[1] == stated["alg_code"]
    assert message.payload == (case / "payload.bin").read_bytes()


# What holds


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("alg", ALGORITHMS)
def test_an_algorithm_holds_for_the_keys_that_it_is_for(kind, alg):
    maker = MAKERS[kind]
    fits = ALGORITHMS[alg] in {maker.public.algorithm, Algorithm.ECDSA_P256_RAW} and (
        (ALGORITHMS[alg] is Algorithm.ECDSA_P256_RAW) == (kind == "p-256")
    )
    assert holds(sign1(maker=maker, alg=alg), maker.public) == fits


def test_a_p256_signature_in_der_is_none_here():
    maker = MAKERS["p-256"]
    message = Sign1.parse(sign1(maker=maker))
    der = replace(message, signature=maker.sign(message.message(), der=True))
    assert holds(message.encode(), maker.public)
    assert not holds(der.encode(), maker.public)


@pytest.mark.parametrize("spelling", [b"", b"\xa0"])
def test_an_empty_header_is_signed_as_none_whichever_way_it_is_written(spelling):
    message = replace(Sign1.parse(sign1()), protected=spelling)
    assert message.message() == cbor2.dumps(["Signature1", b"", b"", b"a payload"])


def test_a_header_is_signed_as_it_came_and_not_as_we_would_write_it():
    # One byte more than it needs for the algorithm, and keys the other way round.
    protected = bytes.fromhex("a2 03 60 18 01 38 12".replace(" ", ""))
    data = signed(protected, b"x")
    assert Sign1.parse(data).headers == {3: "", 1: -19}
    assert holds(data, CI.public)
    rewritten = cbor2.dumps({1: -19, 3: ""}, canonical=True)
    assert rewritten != protected
    assert not holds(
        replace(Sign1.parse(data), protected=rewritten).encode(), CI.public
    )


def test_a_detached_payload_is_brought_by_the_caller():
    data = sign1(None, detached=b"elsewhere")
    assert holds(data, CI.public, payload=b"elsewhere")
    assert not holds(data, CI.public, payload=b"elsewhere!")
    assert not holds(data, CI.public)


def test_bare_is_the_same_without_what_nobody_signed():
    data = sign1(unprotected={394: [b"x"], "y": 1})
    assert Sign1.parse(data).bare() == sign1()
    assert Sign1.parse(data).encode() == data
    assert holds(Sign1.parse(data).bare(), CI.public)


# What does not


def test_another_key_has_not_signed_it():
    assert not holds(sign1(), Maker(number=2).public)


@given(st.data())
def test_one_flipped_bit_anywhere_is_noticed(data):
    true = sign1()
    at = data.draw(st.integers(0, len(true) - 1))
    bit = 1 << data.draw(st.integers(0, 7))
    spoiled = true[:at] + bytes([true[at] ^ bit]) + true[at + 1 :]
    assert not holds(spoiled, CI.public) or Sign1.parse(spoiled).bare() == true


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (sign1() + b"\0", "from byte"),
        (sign1()[1:], "tag 18"),
        (b"", "tag 18"),
        (b"\xd2\x84\x40\xa0\xf6", "CBOR"),
        (b"\xd2\x84\x40\xa0\x01\x40", "COSE_Sign1"),
        (b"\xd2\x84\x60\xa0\x40\x40", "COSE_Sign1"),
        (b"\xd2\x84\x40\xa0\x40\x60", "COSE_Sign1"),
        (b"\xd2\x84\x40\x80\x40\x40", "no map"),
        (b"\xd2\x84\x41\x80\xa0\x40\x40", "no map"),
        (b"\xd2\x84\x42\xa0\x00\xa0\x40\x40", "behind it"),
        (b"\xd2\x84\x43\xbf\x01\xff\xa0\x40\x40", "protected header"),
        (b"\xd2\x84\x45\xa2\x01\x02\x01\x03\xa0\x40\x40", "protected header"),
        (b"\xd2\x84\x46\xa2\x01\x02\x18\x01\x03\xa0\x40\x40", "protected header"),
        (b"\xd2\x84\x44\xa1\x80\x01\xa0\xa0\x40\x40", "protected header"),
        (b"\xd2\x84\x44\xa1\x41\x00\x01\xa0\x40\x40", "no map of labels"),
        (b"\xd2\x84\x43\xa1\x01\x02\xa1\x01\x03\x40\x40", "header 1 twice"),
        (b"\xd2\x84\x40\xbf\xff\x40\x40", "CBOR"),
        (b"\xd2\x9f\x40\xa0\x40\x40\xff", "tag 18"),
    ],
)
def test_what_is_no_cose_sign1_is_refused_and_says_why(data, match):
    with pytest.raises(MalformedError, match=match):
        Sign1.parse(data)


def test_a_header_with_very_many_keys_is_refused_before_it_is_hashed():
    keys = {number * ((1 << 61) - 1): 0 for number in range(257)}
    with pytest.raises(MalformedError, match="more than 256 keys"):
        Sign1.parse(signed(cbor2.dumps(keys), b""))


@pytest.mark.parametrize("crit", [[], "alg", [99], [7], [[1]], [True], 5, {}])
def test_what_is_marked_as_critical_must_be_understood_and_be_there(crit):
    headers = {2: crit, 99: 1}
    assert not holds(sign1(headers=headers), CI.public)


def test_what_is_understood_may_be_marked_as_critical():
    data = sign1(headers={2: [1, 99], 99: 1})
    assert holds(data, CI.public, understood=frozenset({99}))


@pytest.mark.parametrize("alg", [True, "EdDSA", -35, None, [-19]])
def test_an_algorithm_that_is_none_is_never_guessed(alg):
    data = sign1(headers={1: alg}) if alg else sign1(headers={1: None})
    assert not holds(data, CI.public)


@given(st.binary(max_size=60))
def test_whatever_comes_it_is_read_or_refused(data):
    for each in (data, b"\xd2\x84" + data, b"\xd2\x84\x40\xa0" + data):
        holds(each, CI.public)


def test_the_signature_of_a_note_is_none_of_a_statement():
    # The same key, another kind of message: text never begins with 0x84.
    text = b"log.example/x\n1\nAAAA\n"
    signature = nacl.signing.SigningKey((1).to_bytes(32, "big")).sign(text).signature
    assert not holds(sign1(text, signature=signature), CI.public)
