"""A producer's key is read from whatever file it is in, and signs for its public half.

Nothing that is ever said about it shows the key.
"""

import os
import re
import subprocess
import traceback

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    PrivateFormat,
    load_pem_private_key,
)

from ledger.errors import Halted, Held
from ledger.keys.keyfile import KeyFile, SigningKey
from ledger.keys.producerkey import (
    ProducerKey,
    read_producer_key,
    write_producer_key,
)
from tests.authority import ed25519_key, issue, p256_key, p384_key
from tests.keys.makers import SECRETS, pem
from verifier.errors import MalformedError, SignatureError
from verifier.keys import Algorithm, KeyType, PublicKey, verify_signature
from verifier.pem import key_text

ALGORITHMS = {
    "Ed25519": Algorithm.ED25519,
    "P-256": Algorithm.ECDSA_P256_RAW,
    "ML-DSA-44": Algorithm.ML_DSA_44,
}
NOTE_KEYS = {
    "Ed25519": SigningKey("build", KeyType.ED25519, bytes([7]) * 32),
    "ML-DSA-44": SigningKey("build", KeyType.ML_DSA_COSIGNATURE, bytes([7]) * 32),
}


def parameters() -> str:
    """What `openssl ecparam -genkey` writes before the key."""
    return (
        "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    )


FORMS = {
    **{f"{name}, PKCS#8": (name, pem(key)) for name, key in SECRETS.items()},
    "P-256, SEC1": ("P-256", pem(SECRETS["P-256"], PrivateFormat.TraditionalOpenSSL)),
    "P-256, as ecparam writes it": (
        "P-256",
        parameters() + pem(SECRETS["P-256"], PrivateFormat.TraditionalOpenSSL),
    ),
    "Ed25519, OpenSSH": ("Ed25519", pem(SECRETS["Ed25519"], PrivateFormat.OpenSSH)),
    "P-256, OpenSSH": ("P-256", pem(SECRETS["P-256"], PrivateFormat.OpenSSH)),
    **{
        f"{name}, a note key": (name, key.text() + "\n")
        for name, key in NOTE_KEYS.items()
    },
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "build.key"


def written(path, text):
    path.write_text(text)
    path.chmod(0o600)
    return path


def refused(path, text, state, words):
    with pytest.raises(Held, match=words) as caught:
        read_producer_key(written(path, text))
    assert caught.value.state == state
    return caught.value


# What is read


@pytest.mark.parametrize("form", FORMS)
def test_a_key_is_read_and_signs_for_its_public_half(path, form):
    name, text = FORMS[form]
    key = read_producer_key(written(path, text))
    assert key.public.algorithm is ALGORITHMS[name]
    signature = key.sign(b"a message")
    verify_signature(key.public, b"a message", signature)
    with pytest.raises(SignatureError):
        verify_signature(key.public, b"another", signature)
    assert key.public == read_producer_key(written(path, pem(SECRETS[name]))).public


def test_a_signature_of_p_256_is_r_and_s_and_the_same_each_time():
    key = ProducerKey.parse(pem(SECRETS["P-256"]))
    signatures = {key.sign(b"%d" % (number // 2)) for number in range(64)}
    assert len(signatures) == 32
    assert {len(each) for each in signatures} == {64}


def test_the_key_that_ssh_keygen_makes_is_read(tmp_path):
    line = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "k"]
    try:
        subprocess.run(line, check=True)
    except FileNotFoundError:
        pytest.skip("there is no ssh-keygen here")
    assert read_producer_key(tmp_path / "k").public.algorithm is Algorithm.ED25519


# What is made


@pytest.mark.parametrize(
    "algorithm", [*ALGORITHMS.values(), Algorithm.ECDSA_P256], ids=str
)
def test_a_key_that_is_made_is_new_and_written_as_pem_for_its_owner_alone(
    path, algorithm
):
    key = ProducerKey.generate(algorithm)
    assert key != ProducerKey.generate(algorithm)
    write_producer_key(path, key)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text().startswith("-----BEGIN PRIVATE KEY-----\n")
    assert read_producer_key(path) == key
    assert load_pem_private_key(path.read_bytes(), None)


def test_no_key_is_made_that_could_not_be_read_again():
    with pytest.raises(MalformedError, match="not one for ecdsa-p384"):
        ProducerKey.generate(Algorithm.ECDSA_P384)


def test_a_key_that_is_there_is_never_written_over(path):
    write_producer_key(path, ProducerKey.generate(Algorithm.ED25519))
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        write_producer_key(path, ProducerKey.generate(Algorithm.ED25519))
    assert path.read_bytes() == before


# What is refused


def encrypted(form: PrivateFormat) -> str:
    return pem(SECRETS["P-256"], form, b"a passphrase")


@pytest.mark.parametrize(
    "form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL], ids=str
)
def test_an_encrypted_key_is_for_an_agent(path, form):
    error = refused(path, encrypted(form), "key_unfit", "is encrypted.*--agent")
    assert error.mend == f"ssh-add {path}"


def test_so_is_one_of_openssh(tmp_path):
    line = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", tmp_path / "k"]
    try:
        subprocess.run(line, check=True)
    except FileNotFoundError:
        pytest.skip("there is no ssh-keygen here")
    with pytest.raises(Held, match="is encrypted") as caught:
        read_producer_key(tmp_path / "k")
    assert caught.value.mend == f"ssh-add {tmp_path / 'k'}"


def test_the_keys_of_a_log_sign_no_statements(path):
    text = KeyFile((NOTE_KEYS["Ed25519"],), bytes(16)).text()
    refused(path, text, "key_taken", "key file of a log")


ANOTHER = SigningKey("w", KeyType.COSIGNATURE, bytes(32)).text()
PUBLIC = PublicKey(Algorithm.ED25519, ed25519_key().public_key().public_bytes_raw())
EXPANDED = (
    "-----BEGIN PRIVATE KEY-----\nMDQCAQAwCwYJYIZIAWUDBAMRBCIEIAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAA\nAAAAAAAAAAAA\n-----END PRIVATE KEY-----\n"
)
WRONG = {
    "nothing": ("", "there is no private key in it"),
    "a vkey": (NOTE_KEYS["Ed25519"].verifier_key.text(), "cannot sign"),
    "RSA": (pem(rsa.generate_private_key(65537, 2048)), "a key for RSA; accepted"),
    "P-384": (pem(p384_key()), "a key for P-384; accepted"),
    "P-521": (pem(ec.derive_private_key(5, ec.SECP521R1())), "a key for P-521"),
    "X25519": (pem(x25519.X25519PrivateKey.generate()), "X25519, which cannot sign"),
    "no seed": (EXPANDED, "cannot be read.*ML-DSA-44 key without its seed"),
    "damaged": (pem(SECRETS["P-256"]).replace("MIG", "MIH"), "cannot be read"),
    "two": (pem(SECRETS["P-256"]) + pem(SECRETS["Ed25519"]), "several private keys"),
    "a witness's": (ANOTHER, "a producer's key is of type 0x01"),
    "a note key cut": (NOTE_KEYS["Ed25519"].text()[:-4], "base64|32 bytes"),
}


OTHERS = ("RSA", "P-384", "P-521", "X25519")
"""Keys that are whole, and sign no statements."""


@pytest.mark.parametrize("name", [each for each in WRONG if each not in OTHERS])
def test_what_is_no_key_of_ours_is_refused(path, name):
    text, words = WRONG[name]
    error = refused(path, text, "key_damaged", words)
    assert "does not hold a producer's private key" in str(error)


@pytest.mark.parametrize("name", OTHERS)
def test_a_key_of_another_kind_is_not_said_to_be_damaged(path, name):
    text, words = WRONG[name]
    error = refused(path, text, "key_unfit", words)
    assert "accepted are Ed25519, P-256 and ML-DSA-44" in str(error)
    assert "provlog producer key" in error.mend


@pytest.mark.parametrize("mode", [0o600, 0o644])
@pytest.mark.parametrize("half", ["key", "certificate"])
def test_the_public_half_is_said_to_be_that_whoever_can_read_it(path, mode, half):
    pem_of = {"key": key_text(PUBLIC), "certificate": issue("CN=a", p256_key()).pem}
    written(path, pem_of[half]).chmod(mode)
    with pytest.raises(Held, match=r"public half.*--key takes the private") as caught:
        read_producer_key(path)
    assert caught.value.state == "key_unfit"
    assert "chmod" not in caught.value.mend


def test_what_is_no_file_is_not_opened_to_see_whether_it_is_public(path):
    os.mkfifo(path)
    with pytest.raises(Held) as caught:
        read_producer_key(path)
    assert caught.value.state == "key_exposed"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_can_reach_is_refused(path, mode):
    written(path, pem(SECRETS["Ed25519"])).chmod(mode)
    with pytest.raises(Held, match=r"a producer's private key.*revoked") as caught:
        read_producer_key(path)
    assert caught.value.state == "key_exposed"
    assert caught.value.mend == f"chmod 600 {path}"
    assert "log" not in str(caught.value).replace(str(path), "")


def test_a_key_that_is_not_there_or_too_large_is_said_to_be(path):
    with pytest.raises(Held, match="cannot be read") as caught:
        read_producer_key(path)
    assert caught.value.mend == f"put the key file, or its backup, at {path}"
    refused(path, "x" * 70_000, "key_damaged", "more than 65536 bytes")


def shows_the_key(text: str) -> bool:
    secrets = "".join(each for _, each in [*FORMS.values(), *WRONG.values()])
    # A line of a key file, or any part of it that could not be chance.
    lines = re.findall(r"^[A-Za-z0-9+/=]{24,}$", secrets, re.MULTILINE)
    lines += [each.text().split("+")[-1] for each in NOTE_KEYS.values()]
    return any(each[at : at + 12] in text for each in lines for at in (0, 8, 16))


@pytest.mark.parametrize("name", WRONG)
def test_a_refusal_shows_no_key(path, name):
    state = "key_unfit" if name in OTHERS else "key_damaged"
    error = refused(path, WRONG[name][0], state, "key")
    shown = "".join(traceback.format_exception(error)) + error.mend
    assert not shows_the_key(shown)


def test_a_key_shows_itself_without_its_secret():
    assert shows_the_key(FORMS["Ed25519, OpenSSH"][1])
    for _, text in FORMS.values():
        shown = repr(ProducerKey.parse(text))
        assert "_secret" not in shown
        assert not shows_the_key(shown)


def test_a_signature_that_does_not_verify_is_not_released():
    other = ProducerKey.generate(Algorithm.ED25519)
    key = ProducerKey(other.public, SECRETS["Ed25519"])
    with pytest.raises(Halted, match="was not released"):
        key.sign(b"a message")
