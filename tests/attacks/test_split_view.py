"""A log that shows two histories under one key is noticed, and proved to strangers.

Whoever asks for a quorum does not believe the second history, for no honest witness
cosigns it. A mirror and a monitor that saw the first one keep a proof, and so can two
people who compare what they hold. The proof convinces with the policy alone.
"""

import itertools
import shutil
from pathlib import Path

import pytest

from tests.mirror.mirroring import mirrored
from tests.monitor.watching import Watching
from tests.reference.rfc6962 import Tree
from tests.stranger import verifies
from tests.testlog import (
    LOG,
    ORIGIN,
    TIME,
    TestLog,
    checkpoint_text,
    note,
    receipt_text,
)
from tests.witness.asked import request
from tests.witness.hostile import Honest
from verifier import Policy, verify_checkpoint
from verifier.errors import MalformedError, QuorumError
from verifier.misbehaviour import Misbehaviour
from verifier.monitor import Forked
from verifier.trust import Limits

COMMON = [b"entry %d" % number for number in range(300)]
ONE = COMMON + [b"as everybody sees it %d" % number for number in range(300)]
OTHER = COMMON + [b"as the victim sees it %d" % number for number in range(400)]
"""Two histories under one key; the second is shown to one victim."""
LIMITS = Limits(now=TIME + 60)


class Split:
    """The log's two histories, and witnesses that are honest unless a test says so."""

    def __init__(self, folder, *, least=2):
        self.trees = {"one": Tree(ONE), "other": Tree(OTHER)}
        self.eyes = [Honest(f"witness.example/w{n}", folder) for n in (1, 2, 3)]
        lines = [f"log {LOG.vkey}"]
        for number, eye in enumerate(self.eyes, 1):
            lines.append(f"witness w{number} {eye.vkeys()[0]}")
        lines += [f"group g {least} w1 w2 w3", "quorum g", ""]
        self.policy_text = "\n".join(lines).encode()
        self.policy = Policy.parse(self.policy_text)
        self.lines = {}

    def show(self, folder, history, size):
        """What the log shows in `folder`: one history, cosigned by whom it could get.

        It is written as a whole, and then its checkpoint is the one with the lines.
        """
        made = TestLog(folder, witnesses=(), quorum=0)
        made.append(*(ONE if history == "one" else OTHER)[:size])
        for eye in self.eyes:
            self.cosigned(eye, history, size)
        made.write_file("checkpoint", self.note(history, size))
        self.folder = folder
        return self

    def cosigned(self, eye, history, size, old=0):
        """The witness's answer, of which the log takes the lines if there are some."""
        answer = eye.cosigner.add(request(old, size, tree=self.trees[history]))
        if answer.status == 200:
            self.lines[history, size, eye.keys.name] = answer.body.decode()
        return answer

    def note(self, history, size):
        """The checkpoint of a history, with each line that the log has got for it."""
        text = checkpoint_text(size, self.trees[history].mth(0, size))
        names = [eye.keys.name for eye in self.eyes]
        lines = (self.lines.get((history, size, name), "") for name in names)
        return note(text, LOG.line(text), *lines)


def convinces_a_stranger(tmp_path, proof, policy):
    """Whether it does in an empty folder, with the verifier and the policy alone."""
    files = {"policy": policy, "proof": proof}
    words = ["verify", "--misbehaviour", "--policy", "policy", "proof"]
    status, said = verifies(tmp_path / "stranger", files, *words)
    return status == 0 and "signed two histories" in said


# Who asks for a quorum


def test_a_victim_who_asks_for_a_quorum_does_not_believe_the_second_history(tmp_path):
    split = Split(tmp_path)
    split.show(tmp_path / "public", "one", 600)
    assert verify_checkpoint(split.note("one", 600), split.policy, LIMITS)
    split.show(tmp_path / "for the victim", "other", 600)
    shown = split.note("other", 600)
    # The log's signature is a true one: without witnesses there is nothing to notice.
    assert verify_checkpoint(shown, split.policy.without_witnesses(), LIMITS)
    with pytest.raises(QuorumError):
        verify_checkpoint(shown, split.policy, LIMITS)


def test_a_receipt_from_the_second_history_is_refused_at_the_command_line(tmp_path):
    split = Split(tmp_path)
    files = {"policy": split.policy_text, "entry": ONE[0]}
    for history, tree in split.trees.items():
        for eye in split.eyes:
            split.cosigned(eye, history, 600)
        proof = tree.path(0, 600)
        files[history] = receipt_text(0, proof, split.note(history, 600))
    told = {}
    for history in split.trees:
        words = ["verify", "--policy", "policy", "--entry", "entry", history]
        told[history], _ = verifies(tmp_path / "stranger", files, *words)
    # Entry 0 is in both: only whose cosignatures there are tells them apart.
    assert told == {"one": 0, "other": 1}


@pytest.mark.parametrize(
    "first", list(itertools.product(("one", "other"), repeat=3)), ids="-".join
)
def test_whoever_is_asked_first_for_what_one_history_at_most_has_a_quorum(
    tmp_path, first
):
    split = Split(tmp_path)
    for eye, history in zip(split.eyes, first, strict=True):
        second = "other" if history == "one" else "one"
        assert split.cosigned(eye, history, 600).status == 200
        assert split.cosigned(eye, second, 600).status == 409
    believed = []
    for history in split.trees:
        try:
            verify_checkpoint(split.note(history, 600), split.policy, LIMITS)
            believed.append(history)
        except QuorumError:
            pass
    assert len(believed) == 1


def test_where_all_have_to_cosign_a_single_honest_witness_is_enough(tmp_path):
    split = Split(tmp_path, least=3)
    split.show(tmp_path / "public", "one", 600)
    for bribed in split.eyes[:2]:
        bribed.forget()  # which is how a witness helps a log to lie
        assert split.cosigned(bribed, "other", 600).status == 200
    assert split.cosigned(split.eyes[2], "other", 600).status == 409
    with pytest.raises(QuorumError):
        verify_checkpoint(split.note("other", 600), split.policy, LIMITS)


def test_a_stolen_key_of_a_witness_is_one_voice_and_goes_with_its_line(tmp_path):
    split = Split(tmp_path)
    split.show(tmp_path / "public", "one", 600)
    stolen = split.eyes[0]
    stolen.forget()  # a thief has the keys, and remembers nothing
    assert split.cosigned(stolen, "other", 600).status == 200
    shown = split.note("other", 600)
    with pytest.raises(QuorumError):
        verify_checkpoint(shown, split.policy, LIMITS)
    # Two of his lines count once.
    twice = shown + shown.splitlines(keepends=True)[-1]
    with pytest.raises((QuorumError, MalformedError)):
        verify_checkpoint(twice, split.policy, LIMITS)
    # Taken out of the policy, it is nobody's voice; the others are a quorum still.
    text = split.policy_text.decode()
    lines = [each for each in text.splitlines() if not each.startswith("witness w1 ")]
    without = "\n".join(lines).replace("group g 2 w1 w2 w3", "group g 2 w2 w3") + "\n"
    policy = Policy.parse(without.encode())
    assert set(verify_checkpoint(split.note("one", 600), policy).cosigned) == {
        b"w2",
        b"w3",
    }
    with pytest.raises(QuorumError):
        verify_checkpoint(shown, policy, LIMITS)


# The witness


@pytest.mark.parametrize("old", [0, 299, 599, 600])
@pytest.mark.parametrize("size", [301, 600, 700])
def test_a_witness_that_has_seen_one_history_cosigns_no_other(tmp_path, size, old):
    split = Split(tmp_path)
    eye = split.eyes[0]
    assert split.cosigned(eye, "one", 599).status == 200
    assert split.cosigned(eye, "one", 600, 599).status == 200
    answer = split.cosigned(eye, "other", size, min(old, size))
    assert answer.status == (409 if min(old, size) != 600 else 422)
    # And the first history is not held up by it.
    assert split.cosigned(eye, "one", 600, 600).status == 200


# Those who look


def test_a_mirror_notices_and_its_proof_convinces_a_stranger(tmp_path):
    split = Split(tmp_path)
    mirror = tmp_path / "mirror"
    mirrored(split.show(tmp_path / "public", "one", 600).folder, mirror, split)
    shown = split.show(tmp_path / "later", "other", 700).folder
    with pytest.raises(Forked):
        mirrored(shown, mirror, split)
    assert (mirror / "checkpoint").read_bytes() == split.note("one", 600)
    proof = mirror.with_name("mirror.misbehaviour").read_bytes()
    assert convinces_a_stranger(tmp_path, proof, split.policy_text)


def test_a_monitor_notices_and_its_proof_convinces_a_stranger(tmp_path):
    split = Split(tmp_path)
    watching = Watching(split.show(tmp_path / "public", "one", 600), tmp_path)
    assert not watching.round().report.broken
    shutil.rmtree(tmp_path / "public")
    split.show(tmp_path / "public", "other", 700)
    watching.round()
    [alarm] = watching.said
    assert (alarm["event"], alarm["kind"]) == ("started", "forked")
    proof = Path(alarm["proof"]).read_bytes()
    assert convinces_a_stranger(tmp_path, proof, split.policy_text)


def test_two_who_compare_what_they_hold_have_a_proof(tmp_path):
    split = Split(tmp_path)
    claim = Misbehaviour(first=split.note("one", 600), second=split.note("other", 600))
    assert convinces_a_stranger(tmp_path, claim.encode(), split.policy_text)


def test_an_honest_log_is_not_accused_by_what_looks_like_a_proof(tmp_path):
    split = Split(tmp_path)
    tree = split.trees["one"]
    claim = Misbehaviour(
        first=split.note("one", 300),
        second=split.note("one", 600),
        prefix=tree.mth(0, 300),
        proof=tuple(tree.consistency(300, 600)),
    )
    assert not convinces_a_stranger(tmp_path, claim.encode(), split.policy_text)


def test_nor_is_it_by_a_checkpoint_that_somebody_else_has_signed(tmp_path):
    split = Split(tmp_path)
    text = checkpoint_text(600, split.trees["other"].mth(0, 600), ORIGIN)
    forged = note(text, LOG.line(text.replace("600", "599")))
    claim = Misbehaviour(first=split.note("one", 600), second=forged)
    assert not convinces_a_stranger(tmp_path, claim.encode(), split.policy_text)
