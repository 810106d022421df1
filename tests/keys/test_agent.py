"""A key in an ssh-agent signs for us; which key it is, is never a guess.

The agent is OpenSSH's own. What it says wrongly, or not at all, is said by false ones.
"""

import os
import subprocess

import pytest

from ledger.errors import Unavailable
from ledger.keys import agent as module
from ledger.keys.agent import MAX_FRAME, agent_key, agent_keys
from ledger.keys.producerkey import ProducerKey
from tests.keys.agents import add, false_agent, new_key, ssh_agent
from verifier.errors import SignatureError
from verifier.keys import Algorithm, verify_signature
from verifier.pem import key_id, parse_keys

KINDS = {
    "Ed25519": (["-t", "ed25519"], Algorithm.ED25519),
    "P-256": (["-t", "ecdsa", "-b", "256"], Algorithm.ECDSA_P256_RAW),
}


@pytest.fixture
def where():
    with ssh_agent() as where:
        yield where


def refused(where, words, which=None):
    with pytest.raises(Unavailable, match=words) as caught:
        agent_key(where, which)
    assert caught.value.reason == "agent"
    return str(caught.value)


# OpenSSH's agent


@pytest.mark.parametrize("name", KINDS)
def test_a_key_in_the_agent_signs_for_its_public_half(where, tmp_path, name):
    kind, algorithm = KINDS[name]
    path = new_key(tmp_path / "k", *kind)
    add(where, path)
    key = agent_key(where)
    assert key.public == ProducerKey.parse(path.read_text()).public
    assert key.public.algorithm is algorithm
    signature = key.sign(b"a message")
    assert len(signature) == 64
    verify_signature(key.public, b"a message", signature)
    with pytest.raises(SignatureError):
        verify_signature(key.public, b"another", signature)


def test_what_ssh_add_shows_means_a_key(where, tmp_path):
    first = new_key(tmp_path / "a", "-t", "ed25519", comment="build@ci.example")
    second = new_key(tmp_path / "b", "-t", "ecdsa", "-b", "256", comment="é")
    add(where, first, second)
    shown = subprocess.check_output(
        ["ssh-add", "-l"], env={**os.environ, "SSH_AUTH_SOCK": where}, text=True
    )
    prints = [line.split()[1] for line in shown.splitlines()]
    keys = agent_keys(where)
    assert [each.fingerprint for each in keys] == prints
    assert [each.comment for each in keys] == ["build@ci.example", "é"]
    for which in (prints[1], "é", second.with_suffix(".pub"), str(second) + ".pub"):
        assert agent_key(where, str(which)) == keys[1]
    (public,) = parse_keys(first.with_suffix(".pub").read_bytes())
    assert key_id(agent_key(where, prints[0]).public) == key_id(public)


def test_of_several_keys_none_is_chosen_for_you(where, tmp_path):
    for name in ("a", "b"):
        add(where, new_key(tmp_path / name, "-t", "ed25519", comment="same"))
    prints = [each.fingerprint for each in agent_keys(where)]
    for which in (None, "same"):
        said = refused(where, "several keys in the agent may be meant", which)
        assert all(each in said for each in prints)


def test_a_key_that_is_not_there_is_not_replaced_by_another(where, tmp_path):
    add(where, new_key(tmp_path / "a", "-t", "ed25519"))
    other = new_key(tmp_path / "b", "-t", "ed25519", comment="other")
    for which in ("SHA256:x", "other", f"{other}.pub", str(tmp_path / "none")):
        assert agent_keys(where)[0].fingerprint in refused(where, "no key in", which)


def test_a_private_key_is_not_what_names_one(where, tmp_path):
    path = new_key(tmp_path / "a", "-t", "ed25519")
    add(where, path)
    refused(where, "is no public key: .*a private key begins here", str(path))


def test_keys_that_sign_no_statements_are_not_counted(where, tmp_path):
    refused(where, "no Ed25519 key and no P-256 key; add one: ssh-add FILE")
    add(where, new_key(tmp_path / "rsa", "-t", "rsa", "-b", "2048"))
    add(where, new_key(tmp_path / "384", "-t", "ecdsa", "-b", "384"))
    refused(where, "no Ed25519 key and no P-256 key")
    add(where, new_key(tmp_path / "k", "-t", "ed25519", comment="mine"))
    assert agent_key(where).comment == "mine"


def test_a_key_that_has_gone_meanwhile_does_not_sign(where, tmp_path):
    add(where, new_key(tmp_path / "k", "-t", "ed25519"))
    key = agent_key(where)
    add(where, "-D")
    with pytest.raises(Unavailable, match=r"did not sign with SHA256:.*ssh-add -l"):
        key.sign(b"a message")


def test_what_is_larger_than_a_frame_is_not_sent(where, tmp_path):
    add(where, new_key(tmp_path / "k", "-t", "ed25519"))
    with pytest.raises(Unavailable, match="an agent signs at most 262144 bytes"):
        agent_key(where).sign(bytes(MAX_FRAME))
    assert agent_key(where).sign(bytes(MAX_FRAME - 1000))


def test_a_key_shows_what_is_public_of_it(where, tmp_path):
    path = new_key(tmp_path / "k", "-t", "ed25519")
    add(where, path)
    secret = path.read_text().splitlines()[3]
    assert secret not in repr(agent_key(where))


# No agent


@pytest.mark.parametrize("variable", [None, ""])
def test_without_an_agent_it_is_said_how_to_start_one(variable):
    refused(variable, r"SSH_AUTH_SOCK is not set; start one: eval .*ssh-agent")


def test_an_agent_that_has_ended_is_named(tmp_path):
    with ssh_agent() as gone:
        pass
    refused(gone, rf"the agent at {gone} \(SSH_AUTH_SOCK\) cannot be reached: No such")
    (tmp_path / "file").touch()
    refused(str(tmp_path / "file"), "cannot be reached: Connection refused")
    refused("x" * 200, "cannot be reached: AF_UNIX path too long")


# Agents that lie


def string(*data: bytes) -> bytes:
    return b"".join(len(each).to_bytes(4, "big") + each for each in data)


def listing(key: ProducerKey) -> bytes:
    """What an agent says that has one key, of Ed25519."""
    blob = string(b"ssh-ed25519", key.public.raw)
    return string(b"\x0c\0\0\0\x01" + string(blob, b"\xff comment"))


OURS = ProducerKey.generate(Algorithm.ED25519)


ANSWERS = {
    "nothing": (b"", "in the middle of an answer"),
    "cut": (b"\0\0\0\x10\x0c", "in the middle of an answer"),
    "empty": (b"\0\0\0\0", "begins an answer of 0 bytes"),
    "too long": (b"\xff\xff\xff\xff", "begins an answer of 4294967295 bytes"),
    "a failure": (string(b"\x05"), "does not say which keys"),
    "a key cut": (string(b"\x0c\0\0\0\x01\0\0\0\x09x"), "cannot be read"),
    "a length cut": (string(b"\x0c\0\0\0\x01\0\0"), "cannot be read"),
    "no key": (string(b"\x0c\0\0\0\0"), "no Ed25519 key"),
    "many keys, and none": (string(b"\x0c\xff\xff\xff\xff"), "no Ed25519 key"),
    "nonsense": (string(b"\x0c\0\0\0\x01" + string(b"no key", b"")), "no Ed25519"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_that_is_none_is_refused(name):
    answer, words = ANSWERS[name]
    with false_agent(lambda _: answer) as where:
        refused(where, words)


GOOD = OURS.sign(b"a message")
TWICE = string(b"ssh-ed25519", GOOD)
P256 = b"ecdsa-sha2-nistp256"
BLOBS = {
    "of another message": (string(b"ssh-ed25519", OURS.sign(b"x")), "is not its key's"),
    "of another kind": (string(P256, string(b"\1", b"\1")), "is not its key's"),
    "of RSA": (string(b"rsa-sha2-256", bytes(256)), "something else than"),
    "with a number too many": (string(P256, string(b"\1", b"\1", b"\1")), "something"),
    "with a number too large": (string(P256, string(b"\1" * 33, b"\1")), "something"),
    "without a number": (string(P256, b""), "something else than"),
    "cut": (string(b"ssh-ed25519", GOOD)[:-1], "cannot be read"),
    "empty": (b"", "something else than"),
}


@pytest.mark.parametrize("name", BLOBS)
def test_a_signature_that_is_not_the_keys_does_not_leave(name):
    blob, words = BLOBS[name]

    def answer(request):
        return listing(OURS) if request == b"\x0b" else string(b"\x0e" + string(blob))

    with false_agent(answer) as where:
        key = agent_key(where)
        assert key.comment == "\ufffd comment"
        with pytest.raises(Unavailable, match=words):
            key.sign(b"a message")


def test_an_answer_with_something_behind_it_is_no_signature():
    def answer(request):
        return (
            listing(OURS)
            if request == b"\x0b"
            else string(b"\x0e" + string(TWICE, b""))
        )

    with false_agent(answer) as where, pytest.raises(Unavailable, match="something"):
        agent_key(where).sign(b"a message")


def test_an_agent_that_is_silent_is_not_waited_for_for_ever(monkeypatch):
    monkeypatch.setattr(module, "_ANSWER_S", 0.05)
    with false_agent(lambda _: None) as where:
        refused(where, r"has not answered for 0\.05 s")
