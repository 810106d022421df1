"""As many as are needed are waited for, and nobody else is."""

import logging
import threading
from contextlib import ExitStack

import pytest

from ledger.clock import stopwatch
from ledger.errors import Refused
from ledger.witness.asking import Outcome
from ledger.witness.quorum import MAX_PAUSE_S, Witnesses, _Seat
from tests.testlog import LOG, TIME, checkpoint_text, note, signer
from tests.witness.hostile import (
    OTHERS,
    REACH,
    STALLS,
    Honest,
    clock,
    has,
    policy_of,
    prove,
    says,
    serving,
    signed,
)
from verifier.note import MAX_SIGNATURES, Note
from verifier.trust import Limits, verify_checkpoint
from verifier.witnessing import Addition

PATIENCE_S = 5.0
SOON_S = 3.0
"""Below the patience by so much that a slow machine does not matter."""


def lying(name, **how):
    """A witness that has the key, and signs what it should not."""
    who = signer(name, how.pop("kind", 0x04))
    size, time = how.get("size", 7), how.get("time", TIME)
    text = checkpoint_text(size, signed(size)[1].root, how.get("origin", LOG.name))
    return who, says(200, who.line(text, time).encode())


LIARS = {
    "other key": (signer("a", 0x04), lying("b")[1]),
    "other origin": lying("a", origin="other.example/log"),
    "other tree": lying("a", size=9),
    "replayed": lying("a", time=TIME - 86_400),
    "time 0": lying("a", time=0),
    "future": lying("a", time=TIME + 86_400),
    "ML-DSA time 0": lying("a", time=0, kind=0x06),
}
BAD = {**{name: (signer("a", 0x04), each) for name, each in OTHERS.items()}, **LIARS}
BAD |= {f"stalls {at}": (signer("a", 0x04), each) for at, each in STALLS.items()}


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    """Two true witnesses and their addresses."""
    folder = tmp_path_factory.mktemp("honest")
    with ExitStack() as stack:
        found = []
        for number in (1, 2):
            witness = Honest(f"witness.example/{number}", folder)
            found.append((witness, stack.enter_context(serving(witness))))
        yield found


@pytest.fixture
def fresh(honest):
    for witness, server in honest:
        witness.forget()
        server.behave = witness
        server.bodies.clear()
    return honest


@pytest.fixture
def witnesses():
    """Asks the witnesses of a policy until the test is over."""
    made = []

    def make(policy, timeout_s=PATIENCE_S):
        made.append(Witnesses(policy, reach=REACH, timeout_s=timeout_s, clock=clock))
        return made[-1]

    yield make
    for each in made:
        each.close()


def first(honest):
    """The Ed25519 keys of the true ones."""
    return [(witness.vkeys()[0], server.url) for witness, server in honest]


def gather(witnesses, size=7):
    before = stopwatch()
    gathered = witnesses.gather(*signed(size), prove)
    return gathered, stopwatch() - before


def holds(gathered, policy):
    """What an auditor says of it."""
    return verify_checkpoint(gathered.note, policy, Limits(now=TIME)).cosigned


# The quorum


def test_all_cosign_and_the_lines_are_behind_ours_in_the_policys_order(
    fresh, witnesses
):
    policy = policy_of(*first(fresh), quorum="all")
    gathered, _ = gather(witnesses(policy))
    assert gathered.quorum
    assert gathered.cosigned == holds(gathered, policy) == {b"w1": TIME, b"w2": TIME}
    assert gathered.note.startswith(signed(7)[0])
    names = [each.name for each in Note.parse(gathered.note).signatures]
    assert names == [LOG.name, "witness.example/1", "witness.example/2"]


@pytest.mark.parametrize("name", BAD)
def test_one_that_does_not_as_it_should_keeps_nobody_from_the_quorum(
    fresh, witnesses, name
):
    who, behave = BAD[name]
    with serving(behave) as server:
        policy = policy_of((who.vkey, server.url), *first(fresh), quorum="2")
        ours = witnesses(policy)
        for size in (7, 20):
            gathered, took_s = gather(ours, size)
            assert gathered.quorum
            assert holds(gathered, policy).keys() == {b"w2", b"w3"}
            assert took_s < SOON_S
        ours.close()


def test_two_keys_at_one_address_are_one_question(fresh, witnesses):
    witness, server = fresh[0]
    policy = policy_of(*[(each, server.url) for each in witness.vkeys()], quorum="all")
    gathered, _ = gather(witnesses(policy))
    assert holds(gathered, policy).keys() == {b"w1", b"w2"}
    assert len(server.bodies) == 2  # the first was answered 409


def test_where_no_quorum_can_be_any_more_nobody_is_waited_for(fresh, witnesses):
    with serving(says(500)) as server:
        policy = policy_of(
            *first(fresh), (signer("a", 0x04).vkey, server.url), quorum="all"
        )
        gathered, took_s = gather(witnesses(policy))
    assert not gathered.quorum
    assert gathered.cosigned.keys() == {b"w1", b"w2"}
    assert took_s < SOON_S


def test_without_a_quorum_it_returns_at_the_timeout_with_what_there_is(
    fresh, witnesses
):
    with serving(STALLS["head"]) as server:
        who = (signer("a", 0x04).vkey, server.url)
        policy = policy_of(*first(fresh), who, quorum="all")
        gathered, took_s = gather(witnesses(policy, timeout_s=0.5))
    assert not gathered.quorum
    assert gathered.cosigned.keys() <= {b"w1", b"w2"}
    assert took_s < SOON_S


def test_a_policy_that_asks_nobody_is_satisfied_and_asks_all_the_same(fresh, witnesses):
    policy = policy_of(*first(fresh), quorum="none")
    gathered, _ = gather(witnesses(policy))
    assert gathered.quorum
    assert all(server.arrived.is_set() for _, server in fresh)


def test_a_note_has_no_more_lines_than_may_be_read_and_ours_stay(fresh, witnesses):
    text = checkpoint_text(7, signed(7)[1].root)
    others = [signer(f"other{n}").line(text) for n in range(MAX_SIGNATURES - 2)]
    full = note(text, LOG.line(text), *others)
    policy = policy_of(*first(fresh), quorum="any")
    gathered = witnesses(policy).gather(full, signed(7)[1], prove)
    assert gathered.note.startswith(full)
    assert len(Note.parse(gathered.note).signatures) == MAX_SIGNATURES
    assert len(gathered.cosigned) == 1
    assert gathered.quorum


# One at a time


def test_one_that_is_at_work_is_not_asked_a_second_time_and_then_the_newest(
    fresh, witnesses
):
    (witness, server), (other, second) = fresh
    go_on = threading.Event()

    def slowly(true):
        def behave(handler, body):
            go_on.wait(10)
            true(handler, body)

        return behave

    server.arrived.clear()
    server.behave = slowly(witness)
    ours = witnesses(policy_of(*first(fresh), quorum="any"))
    for size in (7, 20, 33):
        assert gather(ours, size)[0].cosigned.keys() == {b"w2"}
    assert server.arrived.wait(10)
    assert len(server.bodies) == 1

    second.arrived.clear()
    second.behave = slowly(other)
    found = []
    thread = threading.Thread(target=lambda: found.append(gather(ours, 50)[0]))
    thread.start()
    assert second.arrived.wait(10)
    go_on.set()
    thread.join()
    assert found[0].quorum
    # 7 was under way, and answered 409; what came between is not asked for any more.
    asked = [Addition.parse(body).checkpoint for body in server.bodies]
    assert not {signed(20)[0], signed(33)[0]} & set(asked)


def test_many_who_gather_at_once_have_each_their_own(fresh, witnesses):
    # Who asks first may be overtaken: the witness then says that it is ahead.
    policy = policy_of(*first(fresh), quorum="any")
    made = [witnesses(policy) for _ in range(4)]
    found = {}

    def run(number):
        found[number] = gather(made[number], 10 + number)[0]

    threads = [threading.Thread(target=run, args=[number]) for number in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    for number, gathered in found.items():
        assert Note.parse(gathered.note).text == Note.parse(signed(10 + number)[0]).text
        if gathered.quorum:
            assert holds(gathered, policy)
    assert any(each.quorum for each in found.values())


# Who fails


def test_one_that_fails_is_not_asked_again_at_once(fresh, witnesses):
    with serving(says(503, Retry_After="60")) as server:
        policy = policy_of(
            *first(fresh), (signer("a", 0x04).vkey, server.url), quorum="2"
        )
        ours = witnesses(policy)
        for size in (7, 8, 9):
            gather(ours, size)
        assert len(server.bodies) == 1
        (standing,) = [each for each in ours.standings() if each.name == b"w3"]
        assert (standing.failures, standing.size, standing.failing) == (1, 0, True)
        assert [each.size for each in ours.standings()[:2]] == [9, 9]


def test_the_pause_grows_to_a_minute_and_a_success_ends_it():
    seat, pauses = _Seat([], None), []
    for _ in range(2000):
        seat.judge(Outcome())
        pauses.append(seat.not_before_s - stopwatch())
    assert pauses[0] <= 1
    assert MAX_PAUSE_S / 2 - 1 < pauses[-1] <= MAX_PAUSE_S
    seat.judge(Outcome(lines={b"w": None}))
    assert seat.failures == 0


def test_it_is_told_when_a_witness_fails_and_when_it_is_back(fresh, witnesses, caplog):
    caplog.set_level(logging.INFO, "provlog")
    witness, server = fresh[0]
    server.behave = says(500)
    ours = witnesses(policy_of(first(fresh)[0], quorum="any"))
    gather(ours, 7)
    ours._seats[0].not_before_s = 0
    gather(ours, 7)
    server.behave = witness
    ours._seats[0].not_before_s = 0
    assert gather(ours, 7)[0].quorum
    told = [each.message.split()[0] for each in caplog.records]
    assert told == ["witness_failed", "witness_again"]


def test_one_that_is_ahead_is_reported_and_told(fresh, witnesses, caplog):
    with serving(has(1000)) as server:
        who = (signer("a", 0x04).vkey, server.url)
        ours = witnesses(policy_of(who, *first(fresh), quorum="any"))
        # The quorum may be there before it has answered; alone it is waited for.
        alone = witnesses(policy_of(who, quorum="any"))
        assert gather(alone)[0].ahead == {b"w1": 1000}
        assert alone.standings()[0].ahead
        assert gather(ours)[0].quorum
    told = [each.message for each in caplog.records if "witness_ahead" in each.message]
    assert "witness=w1 size=7 its_size=1000" in told[0]


def test_a_proof_that_cannot_be_made_ends_no_thread(fresh, witnesses):
    ours = witnesses(policy_of(first(fresh)[0], quorum="any"))
    assert gather(ours, 7)[0].quorum

    def broken(first, second):
        raise ValueError("the tile is damaged")

    assert not ours.gather(*signed(20), broken).quorum
    ours._seats[0].not_before_s = 0
    assert gather(ours, 20)[0].quorum


def test_an_address_that_is_none_is_refused_at_once():
    policy = policy_of((signer("a", 0x04).vkey, "gopher://a.example/"), quorum="any")
    with pytest.raises(Refused, match=r"gopher://a\.example"):
        Witnesses(policy, timeout_s=1, clock=clock)


def test_an_address_that_is_not_in_reach_is_not_asked(fresh):
    ours = Witnesses(policy_of(*first(fresh), quorum="any"), timeout_s=1, clock=clock)
    gathered, _ = gather(ours)
    ours.close()
    assert not gathered.quorum
    assert not any(server.bodies for _, server in fresh)


def test_who_closes_waits_for_nobody(witnesses):
    with serving(STALLS["before"]) as server:
        ours = witnesses(policy_of((signer("a", 0x04).vkey, server.url), quorum="any"))
        thread = threading.Thread(target=gather, args=[ours])
        thread.start()
        server.arrived.wait(10)
        before = stopwatch()
        ours.close()
        thread.join()
        assert stopwatch() - before < SOON_S
