"""A checkpoint holds if a listed log and a quorum signed it, in time, and it fits."""

from itertools import chain, combinations, count
from random import Random

import pytest

from tests.testlog import (
    LOG,
    ORIGIN,
    TIME,
    WITNESSES,
    Signer,
    checkpoint_text,
    note,
    policy_text,
    signer,
)
from verifier.errors import VerificationError
from verifier.hashing import EMPTY_ROOT
from verifier.policy import Policy
from verifier.trust import FUTURE_TOLERANCE_S, Limits, verify_checkpoint

ROOT = bytes(range(32))
TEXT = checkpoint_text(7, ROOT)
TWO_OF_THREE = policy_text()
NOBODY = policy_text(quorum=0)


def cosigned(*times: int | None, text: str = TEXT) -> bytes:
    """The checkpoint, signed by the log and by the witnesses that are given a time."""
    lines = [
        witness.line(text, time)
        for witness, time in zip(WITNESSES, times, strict=False)
        if time is not None
    ]
    return note(text, LOG.line(text), *lines)


def verify(data: bytes, policy: bytes = TWO_OF_THREE, **limits):
    return verify_checkpoint(data, Policy.parse(policy), Limits(**limits))


def refuse(check: str, word: str, data: bytes, policy=TWO_OF_THREE, **limits):
    with pytest.raises(VerificationError, match=word) as raised:
        verify(data, policy, **limits)
    assert raised.value.check == check


# --- the log ---


def test_a_checkpoint_of_the_log_and_its_quorum_holds():
    trusted = verify(cosigned(TIME, TIME + 5))
    assert trusted.checkpoint.text() == TEXT
    assert {key.text(): time for key, time in trusted.logs.items()} == {LOG.vkey: None}
    assert trusted.cosigned == {b"w1": TIME, b"w2": TIME + 5}


def test_without_a_signature_of_the_log_the_witnesses_stand_for_nothing():
    data = note(TEXT, *(each.line(TEXT) for each in WITNESSES))
    refuse("log", f"not signed by {ORIGIN}", data)


def test_the_name_of_the_log_key_is_the_origin():
    text = checkpoint_text(7, ROOT, origin="log.example/other")
    refuse("log", "the policy lists: log.example/test", cosigned(1, 1, text=text))


@pytest.mark.parametrize("kind", [0x01, 0x06])
def test_any_key_of_the_log_will_do(kind):
    keys = (signer(ORIGIN, 0x01), signer(ORIGIN, 0x06))
    data = note(TEXT, signer(ORIGIN, kind).line(TEXT))
    trusted = verify(data, policy_text(logs=keys, quorum=0))
    assert [key.type.value for key in trusted.logs] == [kind]


def test_the_line_of_another_listed_log_does_not_count_but_spoils_if_it_is_bad():
    other = signer("log.example/other")
    policy = policy_text(logs=(LOG, other), quorum=0)
    refuse("log", "not signed by", note(TEXT, other.line(TEXT)), policy)
    both = note(TEXT, LOG.line(TEXT), other.line(TEXT))
    assert [key.name for key in verify(both, policy).logs] == [ORIGIN]
    bad = note(TEXT, LOG.line(TEXT), other.line(checkpoint_text(8, ROOT)))
    refuse("signature", "log.example/other", bad, policy)


def test_a_policy_without_logs_trusts_none():
    policy = policy_text(logs=())
    refuse("log", "the policy lists: none", cosigned(TIME, TIME), policy)


# --- the quorum ---


@pytest.mark.parametrize("times", [(), (TIME,), (None, None, TIME)])
def test_too_few_witnesses_are_no_quorum(times):
    refuse("quorum", "the policy's quorum is", cosigned(*times))


def test_a_witness_counts_once_however_often_it_signs():
    lines = [WITNESSES[0].line(TEXT, TIME + n) for n in range(3)]
    refuse("quorum", "w1 cosigned", note(TEXT, LOG.line(TEXT), *lines))


def test_a_witness_that_is_not_listed_does_not_count():
    stranger = signer("witness.example/stranger", 0x04)
    data = cosigned(TIME) + stranger.line(TEXT).encode()
    refuse("quorum", "w1 cosigned", data)


def test_a_bad_cosignature_spoils_a_quorum_that_is_met_without_it():
    other = WITNESSES[2].line(checkpoint_text(8, ROOT))
    refuse("signature", WITNESSES[2].name, cosigned(TIME, TIME) + other.encode())


def test_the_log_does_not_witness_itself_by_signing():
    # The same key, listed as both: each line says in which role it was made.
    witness = Signer(ORIGIN, 0x04, LOG.seed)
    policy = policy_text(witnesses=(witness,), quorum=1)
    refuse("quorum", "none cosigned", note(TEXT, LOG.line(TEXT)), policy)
    data = note(TEXT, LOG.line(TEXT), witness.line(TEXT))
    assert verify(data, policy).cosigned == {b"w1": TIME}
    refuse("log", "not signed", note(TEXT, witness.line(TEXT)), policy)


def test_an_ml_dsa_key_that_a_policy_lists_in_both_roles_serves_both_by_one_line():
    # Type 0x06 is a cosignature in either role; who lists it twice asks for this.
    log = signer(ORIGIN, 0x06)
    policy = policy_text(logs=(log,), witnesses=(log,), quorum=1)
    trusted = verify(note(TEXT, log.line(TEXT)), policy)
    assert list(trusted.logs.values()) == list(trusted.cosigned.values()) == [TIME]


def test_ml_dsa_witnesses_are_a_quorum_like_others():
    witnesses = (signer("w", 0x06), WITNESSES[0])
    policy = policy_text(witnesses=witnesses, quorum=2)
    lines = [each.line(TEXT) for each in witnesses]
    assert verify(note(TEXT, LOG.line(TEXT), *lines), policy).not_after == TIME


def test_extension_lines_are_read_only_on_request():
    text = TEXT + "a line\n"
    refuse("form", "not asked for", cosigned(TIME, TIME, text=text))
    trusted = verify(cosigned(TIME, TIME, text=text), extensions=True)
    assert trusted.checkpoint.extensions == ("a line",)


def test_an_empty_tree_has_the_root_of_one():
    empty = checkpoint_text(0, EMPTY_ROOT)
    assert verify(cosigned(TIME, TIME, text=empty)).checkpoint.size == 0
    spoiled = checkpoint_text(0, ROOT)
    refuse("form", "tree is empty", cosigned(TIME, TIME, text=spoiled))


def grow(random, names, new):
    """Lines of groups over all of `names`, and the same as (least, members)."""
    lines, nodes = [], dict.fromkeys(names, ())
    while len(nodes) > 1 or not lines:
        some = random.sample(sorted(nodes), random.randint(1, min(4, len(nodes))))
        word = random.choice(["all", "any", str(random.randint(1, len(some)))])
        least = {"all": len(some), "any": 1}.get(word) or int(word)
        name = f"g{next(new)}"
        lines.append(f"group {name} {word} {' '.join(some)}")
        nodes[name] = (least, {each: nodes.pop(each) for each in some})
    return [*lines, f"quorum {name}"], nodes[name]


def holds(name, node, present):
    """Whether a witness or a group agrees, by its definition, from the top down."""
    if not node:
        return name in present
    least, members = node
    return sum(holds(*each, present) for each in members.items()) >= least


@pytest.mark.parametrize("seed", range(40))
def test_a_quorum_is_what_its_groups_say_for_every_set_of_witnesses(seed):
    names = [f"w{n}" for n in range(6)]
    lines, quorum = grow(Random(seed), names, count())
    witnesses = [f"witness {name} {signer(name, 0x04).vkey}" for name in names]
    policy = Policy.parse("".join(f"{e}\n" for e in witnesses + lines).encode())
    sets = chain.from_iterable(combinations(names, size) for size in range(7))
    for present in sets:
        expected = holds("", quorum, present)
        assert policy.satisfied_by({each.encode() for each in present}) == expected


# --- time ---


@pytest.mark.parametrize(
    ("times", "not_after", "newest"),
    [
        ((10, 20), 20, 10),
        ((10, 20, 30), 20, 20),
        ((30, 10, 20), 20, 20),
        ((1, 20, 20), 20, 20),  # one of three lies that it was long ago
        ((20, 20, 2**63 - 1), 20, 20),  # one of three lies that it is tomorrow
        ((0, 10, 20), 20, 10),  # one states no time
        ((0, 20), None, None),
    ],
)
def test_a_lying_minority_moves_no_time(times, not_after, newest):
    trusted = verify(cosigned(*times))
    assert (trusted.not_after, trusted.newest) == (not_after, newest)


def test_without_a_quorum_only_the_log_states_a_time_and_proves_none():
    trusted = verify(cosigned(TIME, TIME), NOBODY)
    assert (trusted.not_after, trusted.newest) == (None, None)
    log = signer(ORIGIN, 0x06)
    policy = policy_text(logs=(log,), quorum=0)
    for time, newest in ((TIME, TIME), (0, None)):
        trusted = verify(note(TEXT, log.line(TEXT, time)), policy)
        assert (trusted.not_after, trusted.newest) == (None, newest)


def test_a_cosignature_from_the_future_does_not_count_where_the_time_is_known():
    late = TIME + FUTURE_TOLERANCE_S
    assert verify(cosigned(TIME, late), now=TIME).newest == TIME
    refuse("quorum", "w1 cosigned", cosigned(TIME, late + 1), now=TIME)
    assert verify(cosigned(TIME, late + 1)).newest == TIME


def test_a_quorum_that_only_the_clock_denies_is_told_as_such():
    late = TIME + FUTURE_TOLERANCE_S + 1
    says = rf"w1 cosigned this checkpoint; w2, w3 state times after {TIME}: is the time"
    refuse("quorum", says, cosigned(TIME, late, late), now=TIME)
    says = rf"none cosigned this checkpoint; w1 state times after {TIME}"
    refuse("quorum", says, cosigned(late), now=TIME)


@pytest.mark.parametrize("now", [None, TIME])
def test_where_nothing_is_dated_ahead_the_clock_is_not_questioned(now):
    refuse("quorum", r"w1 cosigned this checkpoint$", cosigned(TIME), now=now)
    refuse("quorum", r"none cosigned this checkpoint$", cosigned(), now=now)


def test_a_quorum_grows_old():
    data = cosigned(TIME, TIME + 50)
    assert verify(data, now=TIME + 60, max_age_s=60)
    refuse("age", "61 s ago", data, now=TIME + 61, max_age_s=60)
    assert verify(data, now=TIME + 61)


def test_an_age_needs_a_time_to_be_measured_from_and_to():
    data = cosigned(TIME, TIME)
    refuse("age", "time of now", data, max_age_s=60)
    for untimed, policy in ((cosigned(0, TIME), TWO_OF_THREE), (data, NOBODY)):
        refuse("age", "unknown", untimed, policy, now=TIME, max_age_s=60)


def test_a_log_without_witnesses_grows_old_by_its_own_time():
    log = signer(ORIGIN, 0x06)
    policy = policy_text(logs=(log,), quorum=0)
    data = note(TEXT, log.line(TEXT))
    assert verify(data, policy, now=TIME + 60, max_age_s=60)
    refuse("age", "61 s ago", data, policy, now=TIME + 61, max_age_s=60)


def test_a_log_that_dates_itself_into_the_future_does_not_stay_fresh_for_ever():
    log = signer(ORIGIN, 0x06)
    policy = policy_text(logs=(log,), quorum=0)
    data = note(TEXT, log.line(TEXT, TIME + FUTURE_TOLERANCE_S + 1))
    refuse("age", ".", data, policy, now=TIME, max_age_s=60)


# --- the end of a log ---

END = (7, ROOT)


def test_the_final_tree_itself_holds_with_and_without_witnesses():
    for policy in (TWO_OF_THREE, NOBODY):
        assert verify(cosigned(TIME, TIME), policy, final=END)


@pytest.mark.parametrize("policy", [TWO_OF_THREE, NOBODY], ids=["witnesses", "nobody"])
@pytest.mark.parametrize(
    ("size", "root", "word"),
    [(8, ROOT, "ended at size 7"), (7, ROOT[::-1], "another root")],
)
def test_no_tree_is_larger_than_the_final_one_or_beside_it(policy, size, root, word):
    text = checkpoint_text(size, root)
    refuse("final", word, cosigned(TIME, TIME, text=text), policy, final=END)


def test_a_smaller_tree_than_the_final_one_needs_witnesses():
    data = cosigned(TIME, TIME, text=checkpoint_text(6, ROOT))
    assert verify(data, final=END).checkpoint.size == 6
    refuse("final", "no witness is asked", data, NOBODY, final=END)
