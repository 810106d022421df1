"""A public key is read from what people have, has one short name, and is never private.

Whatever form it came in, the key is the same one.
"""

import re
import subprocess
from base64 import b64decode, b64encode
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, mldsa, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.authority import ed25519_key, issue, ml_dsa_key, p256_key, p384_key
from verifier.certificate import Certificate
from verifier.cose import for_cose
from verifier.errors import MalformedError
from verifier.keys import Algorithm, PublicKey
from verifier.pem import (
    MAX_BYTES,
    MAX_KEYS,
    key_id,
    key_text,
    parse_keys,
    parse_ssh_key,
    spki,
)

KEYS: dict[str, Any] = {
    "Ed25519": ed25519_key(),
    "P-256": p256_key(),
    "ML-DSA-44": ml_dsa_key(),
}
ALGORITHMS = {
    "Ed25519": Algorithm.ED25519,
    "P-256": Algorithm.ECDSA_P256,
    "ML-DSA-44": Algorithm.ML_DSA_44,
}


def der(key):
    public = key.public_key()
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def pem(key):
    public = key.public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def ssh(key):
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)


def block(label: str, data: bytes) -> bytes:
    text = b64encode(data).decode()
    return f"-----BEGIN {label}-----\n{text}\n-----END {label}-----\n".encode()


def refuse(data: bytes, words: str) -> str:
    with pytest.raises(MalformedError, match=words) as caught:
        parse_keys(data)
    return str(caught.value)


# What is read


@pytest.mark.parametrize("name", KEYS)
def test_a_pem_key_is_read_and_written_again_as_cryptography_writes_it(name):
    (key,) = parse_keys(pem(KEYS[name]))
    assert isinstance(key, PublicKey)
    assert key.algorithm is ALGORITHMS[name]
    assert spki(key) == der(KEYS[name])
    assert key_text(key).encode() == pem(KEYS[name])
    assert load_pem_public_key(key_text(key).encode()) == KEYS[name].public_key()


@pytest.mark.parametrize("name", ["Ed25519", "P-256"])
def test_a_line_of_openssh_is_the_same_key_as_its_pem(name):
    line = ssh(KEYS[name])
    for each in (line, line + b" me@ci.example, who else\r\n", b"\t" + line):
        assert parse_keys(each) == parse_keys(pem(KEYS[name]))


def test_the_keys_that_ssh_keygen_makes_are_read(tmp_path):
    for kind in (["ed25519"], ["ecdsa", "-b", "256"]):
        path = tmp_path / kind[0]
        line = ["ssh-keygen", "-q", "-t", *kind, "-N", "", "-C", "é @b", "-f", path]
        try:
            subprocess.run(line, check=True)
        except FileNotFoundError:
            pytest.skip("there is no ssh-keygen here")
        (key,) = parse_keys(path.with_suffix(".pub").read_bytes())
        told = ["ssh-keygen", "-e", "-m", "PKCS8", "-f", path]
        if kind[0] == "ecdsa":  # it writes no PEM of Ed25519
            assert subprocess.check_output(told, text=True) == key_text(key)


def test_a_certificate_is_one():
    made = issue("CN=build", KEYS["P-256"])
    (found,) = parse_keys(made.pem.encode())
    assert found == Certificate.parse(made.der)


def test_a_file_has_several_in_their_order_with_words_between():
    made = issue("CN=build", KEYS["P-256"])
    data = b"# ours\r\n\r\n%b\n%b\n  # \xc3\xa9\n%b" % (
        pem(KEYS["ML-DSA-44"]).replace(b"\n", b"\r\n"),
        ssh(KEYS["Ed25519"]),
        made.pem.encode(),
    )
    ml_dsa, ed25519, certificate = parse_keys(data)
    assert spki(ml_dsa) == der(KEYS["ML-DSA-44"])
    assert spki(ed25519) == der(KEYS["Ed25519"])
    assert certificate.key == parse_keys(pem(KEYS["P-256"]))[0]


# What a key is called


@pytest.mark.parametrize("name", KEYS)
def test_a_keys_id_begins_the_hash_of_what_openssl_calls_the_key(name):
    (key,) = parse_keys(pem(KEYS[name]))
    assert key_id(key) == sha256(der(KEYS[name])).hexdigest()[:16]


def test_a_p_256_key_is_the_same_key_whichever_way_its_signatures_are_written():
    (key,) = parse_keys(pem(KEYS["P-256"]))
    raw = for_cose(key)
    assert raw.algorithm is Algorithm.ECDSA_P256_RAW
    assert (spki(raw), key_id(raw)) == (spki(key), key_id(key))
    assert key_text(raw) == key_text(key)


# What is not read


def openssl_private():
    return KEYS["P-256"].private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
    )


PRIVATE = {
    "PKCS#8": KEYS["Ed25519"].private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    ),
    "SEC1": openssl_private(),
    "OpenSSH": KEYS["Ed25519"].private_bytes(
        Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()
    ),
    "encrypted": block("ENCRYPTED PRIVATE KEY", b"secret"),
    "a note key": b"PRIVATE+KEY+log.example+00000000+AAAA\n",
    "PuTTY": b"PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: 1\n",
}


@pytest.mark.parametrize("name", PRIVATE)
@pytest.mark.parametrize("before", [b"", pem(KEYS["P-256"]), b"  "])
def test_a_file_with_a_private_key_is_refused_and_not_quoted(name, before):
    said = refuse(before + PRIVATE[name] + ssh(KEYS["P-256"]), "a private key begins")
    assert "give the public half" in said
    secrets = re.findall(rb"[A-Za-z0-9+/=]{12,}", PRIVATE[name])
    assert not [each for each in secrets if each.decode() in said]


OTHERS = {
    "RSA": rsa.generate_private_key(65537, 2048),
    "DSA": dsa.generate_private_key(2048),
    "X25519": x25519.X25519PrivateKey.generate(),
    "Ed448": ed448.Ed448PrivateKey.generate(),
    "P-384": p384_key(),
    "P-521": ec.derive_private_key(5, ec.SECP521R1()),
    "secp256k1": ec.derive_private_key(5, ec.SECP256K1()),
    "ML-DSA-65": mldsa.MLDSA65PrivateKey.generate(),
    "ML-DSA-87": mldsa.MLDSA87PrivateKey.generate(),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_key_of_another_kind_is_refused_by_its_name(name):
    said = refuse(pem(OTHERS[name]), f"line 1: a key for {name}[,;]")
    assert "accepted are Ed25519, P-256 and ML-DSA-44" in said


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (ssh(OTHERS["RSA"]), "of type ssh-rsa; accepted"),
        (ssh(OTHERS["P-384"]), "of type ecdsa-sha2-nistp384; accepted"),
        (
            b"sk-ssh-ed25519@openssh.com "
            + b64encode(b"\0\0\0\x1ask-ssh-ed25519@openssh.com" + b"\0\0\0\x01x" * 2),
            "of type sk-ssh-ed25519@openssh.com",
        ),
        (
            b"sk-ecdsa-sha2-nistp256@openssh.com "
            + b64encode(
                b"\0\0\0\x22sk-ecdsa-sha2-nistp256@openssh.com" + b"\0\0\0\x01x" * 3
            ),
            "of type sk-ecdsa-sha2-nistp256@openssh.com",
        ),
    ],
    ids=["RSA", "P-384", "FIDO Ed25519", "FIDO P-256"],
)
def test_a_line_of_another_kind_is_refused_by_its_name(line, words):
    refuse(line, words)


COMPRESSED = bytes.fromhex(
    "3039301306072a8648ce3d020106082a8648ce3d030107032200"
) + KEYS["P-256"].public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
SPELLED = {
    "compressed": (COMPRESSED, "P-256, but not uncompressed"),
    "Ed25519 with parameters": (
        bytes.fromhex("302c300706032b65700500032100") + bytes(32),
        "Ed25519, but not in its one form",
    ),
    "longer": (der(KEYS["Ed25519"]) + b"\0", "32 bytes, not 33"),
    "longer P-256": (der(KEYS["P-256"]) + b"\0", "P-256 public key"),
    "cut": (der(KEYS["ML-DSA-44"])[:-1], "1312 bytes, not 1311"),
    "not on the curve": (der(KEYS["P-256"])[:-1] + b"\0", "P-256 public key"),
    "of small order": (der(KEYS["Ed25519"])[:12] + bytes(32), "small order"),
    "nothing known": (b"\x30\x00", "nothing known"),
    "nothing": (b"", "nothing known"),
}


@pytest.mark.parametrize("name", SPELLED)
def test_a_key_has_one_spelling(name):
    data, words = SPELLED[name]
    refuse(block("PUBLIC KEY", data), f"line 1: .*{words}")


LINE = ssh(KEYS["Ed25519"])
NO_KEYS = {
    "nothing": (b"", "no public key in it"),
    "words": (b"# only words\n\n", "no public key in it"),
    "DER": (der(KEYS["P-256"]), "PEM, not as DER"),
    "a request": (block("CERTIFICATE REQUEST", b"x"), "CERTIFICATE REQUEST is not"),
    "an RSA block": (block("RSA PUBLIC KEY", b"x"), "RSA PUBLIC KEY is not read"),
    "no end": (pem(KEYS["P-256"])[:-9], "PUBLIC KEY begins and does not end"),
    "another end": (
        pem(KEYS["P-256"]).replace(b"END PUBLIC", b"END RSA PUBLIC"),
        "begins and does not end",
    ),
    "no base64": (block("PUBLIC KEY", b"").replace(b"\n\n", b"\n!\n"), "not base64"),
    "no certificate": (block("CERTIFICATE", b"x"), r"not an X\.509 certificate"),
    "a word": (b"hello\n", "line 1: neither a PEM block nor"),
    "a vkey": (b"log.example+530d903a+AekyeRrm\n", "neither a PEM block nor"),
    "options": (b"no-pty " + LINE, "neither a PEM block nor"),
    "a type alone": (b"\n\nssh-ed25519", "line 3: not a public key of OpenSSH"),
    "an ssh key cut": (LINE[:-4], "not a public key of OpenSSH"),
    "an ssh key cut in a length": (
        b"ssh-ed25519 " + b64encode(b64decode(LINE.split()[1]) + b"\0\0"),
        "of OpenSSH",
    ),
    "an ssh key of no type": (b"ssh-ed25519 AAAAAXg=", "not a public key of OpenSSH"),
    "a longer ssh key": (
        b"ssh-ed25519 " + b64encode(b64decode(LINE.split()[1]) + b"\0\0\0\x01x"),
        "of type ssh-ed25519; accepted",
    ),
    "a line of another type": (
        b"ecdsa-sha2-nistp256 " + LINE.split()[1],
        "another type than the line says",
    ),
    "a point of another form": (
        b"ecdsa-sha2-nistp256 "
        + b64encode(
            b64decode(ssh(KEYS["P-256"]).split()[1]).replace(b"A\x04", b"A\x06")
        ),
        "P-256",
    ),
    "ssh base64 of two spellings": (
        b"ssh-ed25519 " + LINE.split()[1].rstrip(b"=") + b"====",
        "base64",
    ),
}


@pytest.mark.parametrize("name", NO_KEYS)
def test_what_is_no_key_is_refused_with_its_line(name):
    refuse(*NO_KEYS[name])


def test_a_file_has_bounds():
    assert len(parse_keys(LINE + b"\n" + (LINE + b"\n") * (MAX_KEYS - 1))) == MAX_KEYS
    refuse((LINE + b"\n") * (MAX_KEYS + 1), "more than 64 keys")
    refuse(b"#" * (MAX_BYTES + 1), "at most 1048576")


def test_little_of_a_strangers_file_is_quoted():
    for line in (
        b"ssh-" + b"x" * 1000,
        b"-----BEGIN " + b"X" * 1000 + b"-----",
        b"ssh-x " + b64encode(b"\0\0\x03\xecssh-" + b"y" * 1000),
        block("X" * 40, b"z" * 1000),
    ):
        assert len(refuse(line, "line 1: ")) < 120


@given(st.binary(max_size=120))
def test_whatever_an_agent_has_for_a_key_is_read_or_refused(blob):
    for each in (blob, b"\0\0\0\x0bssh-ed25519" + blob):
        try:
            parse_ssh_key(each)
        except MalformedError:
            continue


@given(st.data())
def test_whatever_is_changed_in_a_file_nothing_else_is_raised(data):
    text = bytearray(pem(KEYS["P-256"]) + LINE)
    for _ in range(data.draw(st.integers(1, 3))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    try:
        parse_keys(bytes(text))
    except MalformedError:
        return


def test_a_file_has_so_many_lines():
    with pytest.raises(MalformedError, match="no public key in it"):
        parse_keys(b"\n" * (1 << 15))
    with pytest.raises(MalformedError, match="more than 32768 lines"):
        parse_keys(b"\n" * ((1 << 15) + 1))
