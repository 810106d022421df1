"""Witnesses are asked at each start: a newer or another tree means no writing."""

from contextlib import ExitStack

import pytest

from ledger.errors import Held
from ledger.log.witnesses import ask_witnesses
from tests.testlog import LOG, TIME, checkpoint_text, signer
from tests.witness.asked import OTHER, TREE
from tests.witness.hostile import (
    OTHERS,
    REACH,
    Honest,
    has,
    policy_of,
    prove,
    raw,
    says,
    serving,
    signed,
)
from verifier.policy import Policy
from verifier.witnessing import Addition

SILENT = raw(b"")
UNKNOWN = says(404)
WHO = [signer(f"witness.example/w{number}", 0x04) for number in (1, 2, 3)]


def start(*behaviours, size=7, quorum="2", without=(), whose=WHO):
    """Start a log whose witnesses behave so; the state that it is held in."""
    with ExitStack() as stack:
        servers = [stack.enter_context(serving(each)) for each in behaviours]
        lines = [(w.vkey, s.url) for w, s in zip(whose, servers, strict=False)]
        try:
            ask(policy_of(*lines, quorum=quorum), size=size, without=without)
        except Held as error:
            return error
        else:
            return None
        finally:
            start.asked = [len(each.bodies) for each in servers]


def ask(policy, *, size=7, without=()):
    note, _ = signed(size)
    ask_witnesses(
        policy,
        held_note=note,
        root_at=lambda size: TREE.mth(0, size),
        reach=REACH,
        without=without,
        timeout_s=5,
    )


def cosigned(who, size=7):
    """The answer of one that has cosigned this very tree."""
    text = checkpoint_text(size, signed(size)[1].root)
    return says(200, who.line(text, TIME).encode())


def add(witness, size, *, tree=None, old=0):
    """Have a true witness cosign what the log, or who has its key, has signed."""
    note, _ = signed(size)
    if tree:
        text = checkpoint_text(size, tree.mth(0, size))
        note = f"{text}\n{LOG.line(text)}".encode()
    proof = tuple(prove(old, size)) if old else ()
    body = Addition(old=old, proof=proof, checkpoint=note).encode()
    assert witness.cosigner.add(body).status == 200


def with_true(tmp_path, *steps, size=7, tree=None):
    """Start a log with one true witness, which has cosigned these sizes."""
    witness, old = Honest("witness.example/true", tmp_path), 0
    for each in steps:
        add(witness, each, tree=tree, old=old)
        old = each
    with serving(witness) as server:
        keys = [(each, server.url) for each in witness.vkeys()]
        ask(policy_of(*keys, quorum="all"), size=size)


# Who answers, and with what


@pytest.mark.parametrize("steps", [(), (3,), (7,)], ids=["nothing", "less", "the same"])
def test_a_witness_that_is_not_ahead_is_no_hindrance(tmp_path, steps):
    with_true(tmp_path, *steps)


def test_a_witness_that_has_cosigned_more_means_that_we_were_put_back(tmp_path):
    with pytest.raises(Held, match=r"size 20, and this log has 7") as held:
        with_true(tmp_path, 7, 20)
    assert held.value.state == "rollback"


def test_a_witness_that_has_cosigned_another_tree_means_two_histories(tmp_path):
    with pytest.raises(Held, match="another tree of size 7") as held:
        with_true(tmp_path, 7, tree=OTHER)
    assert held.value.state == "forked"


def test_an_older_witness_says_the_same_with_another_status():
    assert start(has(7), UNKNOWN, UNKNOWN).state == "forked"


def test_one_that_is_ahead_is_enough_whatever_the_others_say():
    assert start(*map(cosigned, WHO[:2]), has(8)).state == "rollback"
    assert start(has(8), SILENT, SILENT).state == "rollback"


def test_one_that_does_not_know_us_has_cosigned_nothing():
    assert start(UNKNOWN, UNKNOWN, UNKNOWN) is None


def test_an_empty_log_is_asked_for_too_since_it_may_have_been_put_back():
    assert start(UNKNOWN, UNKNOWN, UNKNOWN, size=0) is None
    assert start(SILENT, SILENT, SILENT, size=0).state == "witness_silent"
    assert start(has(1), UNKNOWN, UNKNOWN, size=0).state == "rollback"


def test_no_tree_is_another_one_than_the_empty_tree():
    held = start(says(422), says(422), says(422), size=0)
    assert held.state == "witness_silent"


# Silence


def test_the_silence_of_less_than_a_quorum_is_no_hindrance():
    assert start(SILENT, cosigned(WHO[1]), has(3)) is None


def test_the_silence_of_a_quorum_holds_and_names_them():
    hold = start(SILENT, SILENT, has(3))
    assert hold.state == "witness_silent"
    assert hold.mend.endswith("--without w1 --without w2")


def test_who_is_named_is_not_asked():
    assert start(SILENT, SILENT, has(3), without=["w1"]) is None
    assert start.asked[0] == 0
    assert start(has(99), UNKNOWN, UNKNOWN, without=["w1"]) is None


def test_a_policy_that_asks_nobody_may_have_silent_witnesses_and_none_ahead():
    assert start(SILENT, SILENT, SILENT, quorum="none") is None
    assert start(SILENT, SILENT, has(8), quorum="none").state == "rollback"


def test_a_witness_without_an_address_is_asked_nothing():
    ask(Policy.parse(f"witness w {WHO[0].vkey}\nquorum w\n".encode()))


SAYING = ("says the same for ever", "is ahead by far")
NOTHING = {name: each for name, each in OTHERS.items() if name not in SAYING}
NOTHING |= {
    "other key": cosigned(signer("somebody else", 0x04)),
    "other tree": says(200, WHO[0].line(checkpoint_text(7, bytes(32))).encode()),
    "refuses the key": says(403),
}


@pytest.mark.parametrize("name", NOTHING)
def test_what_is_no_answer_is_silence(name):
    assert start(NOTHING[name], quorum="any").state == "witness_silent"


def test_two_keys_at_one_address_are_asked_once_and_judged_each():
    who = [WHO[0], signer("witness.example/ml", 0x06)]
    with serving(cosigned(WHO[0])) as server:
        keys = [(each.vkey, server.url) for each in who]
        ask(policy_of(*keys, quorum="2"))
        with pytest.raises(Held, match="w2: no line"):
            ask(policy_of(*keys, quorum="any"))
        assert len(server.bodies) == 2


def test_an_address_that_is_none_is_said_with_its_witness():
    with pytest.raises(Held, match="witness w1") as held:
        ask(policy_of((WHO[0].vkey, "gopher://w.example/"), quorum="any"))
    assert held.value.state == "config"
