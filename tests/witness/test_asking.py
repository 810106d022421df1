"""A witness is asked for what it has not seen, and believed in nothing."""

import pytest

from ledger.witness.asking import MAX_AGE_S, MAX_AHEAD_S, MAX_RETRY_S, Asking, line_to
from tests.testlog import LOG, TIME, checkpoint_text, signer
from tests.witness.asked import OTHER
from tests.witness.hostile import (
    OTHERS,
    REACH,
    STALLS,
    Honest,
    clock,
    has,
    policy_of,
    prove,
    raw,
    says,
    send,
    serving,
    signed,
)
from verifier.witnessing import Addition, size_text

ED25519 = signer("witness.example/ed", 0x04)
ML_DSA = signer("witness.example/ml", 0x06)


@pytest.fixture(scope="module")
def server():
    with serving(raw(b"")) as server:
        yield server


@pytest.fixture
def honest(server, tmp_path):
    """A true witness; what it was sent before is forgotten."""
    server.behave = Honest("witness.example/true", tmp_path)
    server.bodies.clear()
    server.connections.clear()
    return server.behave


@pytest.fixture
def ask(server):
    """Asks the witness that has these keys, over one connection."""
    made = {}

    def asking(size=7, *, vkeys=(ED25519.vkey,), patience_s=10.0, prove=prove):
        if vkeys not in made:
            policy = policy_of(*[(each, server.url) for each in vkeys], quorum="none")
            line = line_to(server.url.encode(), reach=REACH, patience_s=patience_s)
            who = list(policy.witnesses.values())
            made[vkeys] = Asking(who, line, clock=clock, patience_s=patience_s)
        note, tree = signed(size)
        return made[vkeys].ask(note, tree, prove)

    yield asking
    for each in made.values():
        each.close()


def olds(server):
    return [Addition.parse(body).old for body in server.bodies]


def lines(*who, size=7, time=TIME, text=None):
    """An answer with these lines."""
    root = signed(size)[1].root
    text = text or checkpoint_text(size, root)
    return says(200, "".join(each.line(text, time) for each in who).encode())


# What is asked


def test_a_witness_that_knows_nothing_is_told_of_this_tree_and_then_of_a_first(
    server, honest, ask
):
    outcome = ask(7, vkeys=tuple(honest.vkeys()))
    assert [time for _, time in outcome.lines.values()] == [TIME, TIME]
    assert not outcome.failed
    assert olds(server) == [7, 0]


def test_it_is_sent_a_proof_from_what_it_cosigned_last(server, honest, ask):
    vkeys = tuple(honest.vkeys())
    for size in (7, 20, 20, 64):
        assert ask(size, vkeys=vkeys).lines.keys() == {b"w1", b"w2"}
    assert olds(server) == [7, 0, 7, 20, 20]
    assert Addition.parse(server.bodies[3]).proof == ()
    assert len(server.connections) == 1


def test_the_checkpoint_is_sent_as_it_was_signed(server, honest, ask):
    ask(7, vkeys=tuple(honest.vkeys()))
    assert Addition.parse(server.bodies[0]).checkpoint == signed(7)[0]


def test_the_empty_tree_is_cosigned(server, honest, ask):
    assert ask(0, vkeys=tuple(honest.vkeys())).lines
    assert ask(3, vkeys=tuple(honest.vkeys())).lines
    assert olds(server) == [0, 0]


@pytest.mark.parametrize("known", [True, False])
def test_one_that_has_lost_its_memory_is_recovered(server, honest, ask, known):
    vkeys = tuple(honest.vkeys())
    if known:
        ask(7, vkeys=vkeys)
    honest.forget()
    assert ask(20, vkeys=vkeys).lines


def test_one_that_somebody_else_has_brought_further_is_asked_from_there(
    server, honest, ask
):
    vkeys = tuple(honest.vkeys())
    ask(7, vkeys=vkeys)
    note, _ = signed(12)
    proof = tuple(prove(7, 12))
    honest.cosigner.add(Addition(old=7, proof=proof, checkpoint=note).encode())
    assert ask(20, vkeys=vkeys).lines
    assert olds(server)[-2:] == [7, 12]


def test_one_that_is_ahead_is_named_and_its_size(server, honest, ask):
    vkeys = tuple(honest.vkeys())
    assert ask(20, vkeys=vkeys).ahead is None
    outcome = ask(7, vkeys=vkeys)
    assert outcome.ahead == 20
    assert not outcome.lines
    assert "20" in outcome.failed[b"w1"]
    assert ask(21, vkeys=vkeys).lines


def test_another_history_is_refused_by_it_and_said(server, honest, ask):
    text = checkpoint_text(7, OTHER.mth(0, 7))
    note = f"{text}\n{LOG.line(text)}".encode()
    honest.cosigner.add(Addition(old=0, proof=(), checkpoint=note).encode())
    assert "does not continue" in ask(20, vkeys=tuple(honest.vkeys())).failed[b"w1"]
    assert "does not continue" in ask(7, vkeys=tuple(honest.vkeys())).failed[b"w1"]


def test_after_one_conflict_it_is_asked_once_more_and_no_further(server, ask):
    for behave, asked in ((has(3), [7, 3]), (has(7), [7])):
        server.behave = behave
        server.bodies.clear()
        outcome = ask(vkeys=(signer(f"w{len(asked)}", 0x04).vkey,))
        assert outcome.failed
        assert outcome.ahead is None
        assert olds(server) == asked


def test_a_second_conflict_can_be_serious_as_well(server, ask):
    sizes = iter([3, 9])
    server.behave = lambda handler, _: send(
        handler, 409, size_text(next(sizes)), "text/x.tlog.size"
    )
    assert ask().ahead == 9


# What is believed


@pytest.mark.parametrize("who", [ED25519, ML_DSA], ids=["ed25519", "ml-dsa"])
@pytest.mark.parametrize(
    ("off_s", "good"),
    [
        (0, True),
        (MAX_AHEAD_S, True),
        (-MAX_AGE_S, True),
        (MAX_AHEAD_S + 1, False),
        (-MAX_AGE_S - 1, False),
        (-TIME, False),
    ],
    ids=["now", "ahead", "old", "future", "replayed", "zero"],
)
def test_a_cosignature_is_of_now(server, ask, who, off_s, good):
    server.behave = lines(who, time=TIME + off_s)
    outcome = ask(vkeys=(who.vkey,))
    assert bool(outcome.lines) is good
    assert good or "clocks" in outcome.failed[b"w1"]


@pytest.mark.parametrize("who", [ED25519, ML_DSA], ids=["ed25519", "ml-dsa"])
@pytest.mark.parametrize(
    "text",
    [
        checkpoint_text(7, signed(7)[1].root, "other.example/log"),
        checkpoint_text(7, OTHER.mth(0, 7)),
        checkpoint_text(8, signed(8)[1].root),
    ],
    ids=["origin", "root", "size"],
)
def test_a_cosignature_is_of_this_tree(server, ask, who, text):
    server.behave = lines(who, text=text)
    assert "does not verify" in ask(vkeys=(who.vkey,)).failed[b"w1"]


def test_lines_of_others_are_ignored(server, ask):
    other = signer("witness.example/other", 0x04)
    server.behave = lines(other, LOG, ED25519, ML_DSA)
    outcome = ask()
    assert [each.name for each, _ in outcome.lines.values()] == [ED25519.name]
    server.behave = lines(other, signer(ED25519.name, 0x06))
    assert f"by {ED25519.name}" in ask().failed[b"w1"]


def test_two_lines_of_one_key_are_none(server, ask):
    server.behave = lines(ED25519, ED25519)
    assert "2 lines" in ask().failed[b"w1"]


def test_of_two_keys_at_one_address_each_is_judged_by_itself(server, ask):
    vkeys = (ED25519.vkey, ML_DSA.vkey)
    server.behave = lines(ML_DSA)
    outcome = ask(vkeys=vkeys)
    assert outcome.lines.keys() == {b"w2"}
    assert outcome.failed.keys() == {b"w1"}


# What else may come


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (301, "not followed"),
        (400, "understand"),
        (403, "signature"),
        (404, "add the log"),
        (422, "continue"),
        (429, "too often"),
        (418, "418"),
        (503, "cannot"),
    ],
)
def test_a_refusal_is_said_in_words(server, ask, status, word):
    server.behave = says(status, b"x")
    assert word in ask().failed[b"w1"]


@pytest.mark.parametrize(
    ("status", "after", "wanted"),
    [
        (429, "7", 7),
        (503, "7", 7),
        (503, "999999999", MAX_RETRY_S),
        (503, "9" * 5000, 0),
        (503, "-1", 0),
        (503, "Fri, 31 Dec 1999 23:59:59 GMT", 0),
        (500, "7", 0),
    ],
    ids=["429", "503", "long", "endless", "negative", "date", "500"],
)
def test_it_may_send_us_away_for_a_while(server, ask, status, after, wanted):
    server.behave = says(status, Retry_After=after)
    assert ask().retry_after_s == wanted


@pytest.mark.parametrize("name", OTHERS)
def test_whatever_else_comes_is_a_failure_in_words(server, ask, name):
    server.behave = OTHERS[name]
    outcome = ask()
    assert not outcome.lines
    assert outcome.failed[b"w1"]


@pytest.mark.parametrize("where", STALLS)
def test_a_stall_ends_with_our_patience(server, ask, where):
    server.behave = STALLS[where]
    assert "no whole answer" in ask(patience_s=0.2).failed[b"w1"]


def test_a_conflict_does_not_begin_our_patience_anew(server, ask):
    def slow(handler, body):
        handler.server.stopped.wait(0.3)
        has(3)(handler, body)

    server.behave = slow
    assert "within" in ask(patience_s=0.4).failed[b"w1"]
