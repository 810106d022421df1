"""A public key has one spelling, and nobody but its owner can sign for it."""

import json
from base64 import b64encode
from itertools import count, product

import nacl.bindings
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.foreign import folder
from tests.testlog import Signer, signer
from verifier.errors import MalformedError
from verifier.keys import Algorithm, KeyType, PublicKey, VerifierKey, check_name

P = 2**255 - 19
Y_OF_ORDER_8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7


def ed25519(y: int, sign: int = 0) -> bytes:
    return (y | sign << 255).to_bytes(32, "little")


def small_order_spellings() -> set[bytes]:
    """All ways to write the eight points of small order in 32 bytes."""
    wanted = {0, 1, P - 1, Y_OF_ORDER_8, P - Y_OF_ORDER_8}
    return {
        ed25519(y, sign)
        for y, sign in product(wanted | {y + P for y in wanted}, (0, 1))
        if y < 2**255
    }


def is_on_curve(y: int) -> bool:
    """RFC 8032, section 5.1.3, steps 2 and 3, as they are written there."""
    d = -121665 * pow(121666, P - 2, P) % P
    u, v = (y * y - 1) % P, (d * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    return v * x * x % P in {u, -u % P}


P256 = ec.derive_private_key(7, ec.SECP256R1()).public_key()
DER = P256.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def test_the_keys_that_libsodium_makes_are_fit():
    for number in range(1, 33):
        scalar = number.to_bytes(32, "little")
        raw = nacl.bindings.crypto_scalarmult_ed25519_base_noclamp(scalar)
        assert PublicKey(Algorithm.ED25519, raw).raw == raw


def test_the_eight_points_of_small_order_have_the_fourteen_spellings_of_cctv():
    cases = foreign("c2sp-cctv", "ed25519vectors.json")
    low = {e["key"] for e in cases if "low_order_A" in (e["flags"] or [])}
    assert len(low) == 14
    assert low == {raw.hex() for raw in small_order_spellings()}


@pytest.mark.parametrize("raw", sorted(small_order_spellings()), ids=bytes.hex)
def test_an_ed25519_key_of_small_order_is_refused_however_it_is_written(raw):
    with pytest.raises(MalformedError, match=r"small order|canonical"):
        PublicKey(Algorithm.ED25519, raw)


@pytest.mark.parametrize("sign", [0, 1])
def test_an_ed25519_key_with_y_not_below_p_is_refused(sign):
    for y in range(P, 2**255):
        with pytest.raises(MalformedError, match="canonical"):
            PublicKey(Algorithm.ED25519, ed25519(y, sign))


def test_an_ed25519_key_is_a_point_of_the_curve():
    points = [y for y in range(2, 200) if is_on_curve(y)]
    assert 60 < len(points) < 140
    for y in range(2, 200):
        if y in points:
            PublicKey(Algorithm.ED25519, ed25519(y))
            continue
        with pytest.raises(MalformedError, match="not a point"):
            PublicKey(Algorithm.ED25519, ed25519(y))


def test_an_ed25519_key_of_mixed_order_is_read_as_libsodium_reads_it():
    # It has a prime-order part, which only its owner can sign for.
    own = signer("somebody").public
    for raw in small_order_spellings():
        if int.from_bytes(raw, "little") % 2**255 < P:
            mixed = nacl.bindings.crypto_core_ed25519_add(own, raw)
            assert PublicKey(Algorithm.ED25519, mixed).raw == mixed


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_an_ed25519_key_has_32_bytes(size):
    with pytest.raises(MalformedError, match="32 bytes"):
        PublicKey(Algorithm.ED25519, signer("somebody").public.ljust(64, b"\0")[:size])


@pytest.mark.parametrize("change", [-1, 1])
def test_an_ml_dsa_44_key_has_1312_bytes(change):
    raw = signer("somebody", 0x06).public
    assert PublicKey(Algorithm.ML_DSA_44, raw).raw == raw
    with pytest.raises(MalformedError, match="1312 bytes"):
        PublicKey(Algorithm.ML_DSA_44, (raw + b"\0")[: 1312 + change])


def foreign(name, file):
    return json.loads((folder(name) / file).read_text())


def refuse(vkey: str, word: str = "key") -> None:
    with pytest.raises(MalformedError, match=word):
        VerifierKey.parse(vkey)


def ecdsa_vkey(name: str, key_id: str) -> str:
    return f"{name}+{key_id}+{b64encode(bytes([0x02]) + DER).decode()}"


@pytest.mark.parametrize("kind", [0x01, 0x04, 0x06])
def test_a_vkey_is_name_id_and_key_and_is_written_as_it_was_read(kind):
    made = signer("log.example/ü", kind)
    key = VerifierKey.parse(made.vkey)
    assert (key.name, key.type, key.id) == (made.name, KeyType(kind), made.key_id)
    assert key.public_key.raw == made.public
    assert key.text() == made.vkey


def test_the_base64_of_a_vkey_may_contain_plus():
    signers = (Signer("log", 0x01, n.to_bytes(32, "big")) for n in count())
    made = next(each for each in signers if "+" in each.vkey.split("+", 2)[2])
    assert VerifierKey.parse(made.vkey).public_key.raw == made.public


def test_the_id_of_an_ecdsa_key_is_of_the_key_alone():
    key_id = VerifierKey("a", KeyType.ECDSA, PublicKey(Algorithm.ECDSA_P256, DER)).id
    for name in ("a", "b"):
        assert VerifierKey.parse(ecdsa_vkey(name, key_id.hex())).id == key_id
    refuse(ecdsa_vkey("a", signer("a").key_id.hex()), "its key has")


def test_the_id_of_a_vkey_is_recomputed():
    name, key_id, key = signer("log").vkey.split("+", 2)
    refuse(f"{name}+{int(key_id, 16) ^ 1:08x}+{key}", "its key has")
    refuse(f"other+{key_id}+{key}", "its key has")


@pytest.mark.parametrize("spoil", [str.upper, "0{}".format, lambda hexa: hexa[1:]])
def test_the_id_of_a_vkey_is_8_lower_case_hex_digits(spoil):
    signers = (signer(f"log{n}") for n in count())
    made = next(e for e in signers if (h := e.key_id.hex()).upper() != h)
    name, key_id, key = made.vkey.split("+", 2)
    refuse(f"{name}+{spoil(key_id)}+{key}", "8 hex digits")


@pytest.mark.parametrize("blob", [b"", b"\x03", b"\x05", b"\x00", b"\xff"])
def test_a_vkey_of_another_type_is_refused_by_its_number(blob):
    encoded = b64encode(blob + bytes(32) if blob else b"").decode()
    refuse(f"log+00000000+{encoded}", f"type 0x{blob.hex() or '[?][?]'}")


@pytest.mark.parametrize("spoil", ["{}\n", "{}=", " {}", "{} ", "{}+"])
def test_nothing_stands_around_a_vkey(spoil):
    refuse(spoil.format(signer("log").vkey))


def test_a_key_name_has_no_space_of_unicode_no_plus_and_no_control_character():
    for code in [*range(0xD800), *range(0xE000, 0x10000)]:
        name = f"log{chr(code)}example"
        if chr(code).isspace() or code < 0x20 or chr(code) == "+":
            with pytest.raises(MalformedError, match="key name"):
                check_name(name)
        else:
            check_name(name)


@pytest.mark.parametrize("name", ["", "\ud800"])
def test_a_key_name_is_not_empty_and_can_be_written(name):
    with pytest.raises(MalformedError, match="key name"):
        check_name(name)


def test_all_that_go_refuses_as_a_vkey_is_refused():
    cases = foreign("golang-xmod", "note_vectors.json")["vkey_reject"]
    valid = cases["valid"]
    assert VerifierKey.parse(valid).text() == valid
    stops = range(len(valid) + 1)
    parts = {valid[start:stop] for start in stops for stop in stops[start:]} - {valid}
    ups = {
        f"{valid[:at]}{chr(ord(c) + 1)}{valid[at + 1 :]}" for at, c in enumerate(valid)
    }
    for spoiled in parts | ups | set(cases["explicit"]):
        refuse(spoiled)


def test_the_vkeys_of_real_logs_are_read_but_static_ct_ones_are_not_supported():
    cases = foreign("transparency-dev-formats", "vkeys.json")
    for case in cases["accept"]:
        if case["type"] == 5:
            # RFC 6962 tree heads: another signed message, which nothing here checks.
            refuse(case["vkey"], "type 0x05")
        else:
            key = VerifierKey.parse(case["vkey"])
            assert (key.type.value, key.text()) == (case["type"], case["vkey"])
    for vkey in cases["reject"]:
        refuse(vkey)


def test_an_ml_dsa_vkey_with_an_id_by_no_rule_is_refused_though_go_reads_it():
    case = foreign("transparency-dev-formats", "vkeys.json")["mldsa_key_id_mismatch"]
    right = case["key_id_per_spec"]
    refuse(case["vkey"], right)
    mended = case["vkey"].replace(case["key_id_in_string"], right)
    assert VerifierKey.parse(mended).id.hex() == right
