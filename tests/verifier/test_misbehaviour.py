"""Two signed histories convict a log, and nothing less does."""

import json
from dataclasses import replace

import pytest

from tests.recordlog import (
    EARLIER,
    RecordLog,
    check,
    entries,
    found,
    record_log,
    true_bundle,
    words,
)
from tests.testlog import LOG, checkpoint_text, note, policy_text, signer
from verifier import Limits, MalformedError, Policy, Report
from verifier.errors import ConsistencyError, EntryError, UntrustedError
from verifier.misbehaviour import MAX_BYTES, Misbehaviour

HONEST = record_log()
SIZE = len(HONEST.entries)
FORKED = RecordLog(entries=[b"another past", *entries()[1:]])


def signed(log: RecordLog, size: int, by=LOG) -> bytes:
    """A checkpoint that no witness has seen."""
    text = checkpoint_text(size, log.tree.mth(0, size), by.name)
    return note(text, by.line(text))


def at_equal_sizes() -> Misbehaviour:
    """Two roots of one size."""
    return Misbehaviour(first=signed(HONEST, SIZE), second=signed(FORKED, SIZE))


def at_two_sizes(first: int = EARLIER, second: int = SIZE) -> Misbehaviour:
    """A tree that does not begin with the earlier one."""
    return Misbehaviour(
        first=signed(HONEST, first),
        second=signed(FORKED, second),
        prefix=FORKED.tree.mth(0, first),
        proof=tuple(FORKED.tree.consistency(first, second)),
    )


def agreeing() -> Misbehaviour:
    """Two checkpoints of one history."""
    return Misbehaviour(
        first=signed(HONEST, EARLIER),
        second=signed(HONEST, SIZE),
        prefix=HONEST.tree.mth(0, EARLIER),
        proof=tuple(HONEST.tree.consistency(EARLIER, SIZE)),
    )


def convict(claim: Misbehaviour, policy: Policy | None = None, **arguments) -> Report:
    """What is shown to somebody who asks whether the log misbehaved."""
    return check(claim, policy, misbehaviour=True, **arguments)


TRUE = at_two_sizes()


# What convicts


def test_two_roots_of_one_size_convict():
    finding = found(convict(at_equal_sizes()), "misbehaviour")
    assert finding["holds"]
    assert (finding["origin"], finding["size"]) == (LOG.name, SIZE)
    roots = [HONEST.tree.mth(0, SIZE).hex(), FORKED.tree.mth(0, SIZE).hex()]
    assert finding["roots"] == roots


@pytest.mark.parametrize("first", range(1, SIZE))
def test_a_tree_that_does_not_begin_with_an_earlier_one_convicts(first):
    finding = found(convict(at_two_sizes(first)), "misbehaviour")
    roots = [HONEST.tree.mth(0, first).hex(), FORKED.tree.mth(0, first).hex()]
    assert (finding["size"], finding["roots"]) == (first, roots)


def test_no_quorum_is_asked_and_both_checkpoints_are_shown():
    report = convict(TRUE, Policy.parse(policy_text(quorum=3)))
    assert words(report) == ["log", "log", "misbehaviour"]
    sizes = [each.values["size"] for each in report.findings[:2]]
    assert sizes == [EARLIER, SIZE]


# Who asks


@pytest.mark.parametrize("claim", [TRUE, at_equal_sizes()], ids=["two sizes", "equal"])
def test_a_proof_of_misbehaviour_holds_only_for_who_asks_for_one(claim):
    assert convict(claim)
    with pytest.raises(EntryError, match="a proof that the log misbehaved"):
        check(claim)


@pytest.mark.parametrize(
    "evidence", [true_bundle(), true_bundle().receipt], ids=["bundle", "receipt"]
)
def test_nothing_else_is_one(evidence):
    with pytest.raises(EntryError, match="no proof of misbehaviour"):
        check(evidence, misbehaviour=True, entry=true_bundle().entry)


# What does not


@pytest.mark.parametrize(
    "claim",
    [
        agreeing(),
        Misbehaviour(first=signed(HONEST, SIZE), second=signed(HONEST, SIZE)),
        Misbehaviour(first=signed(HONEST, 0), second=signed(FORKED, 0)),
    ],
    ids=["grown", "equal", "empty"],
)
def test_checkpoints_that_agree_prove_nothing(claim):
    with pytest.raises(ConsistencyError, match="proves nothing against the log"):
        convict(claim)


@pytest.mark.parametrize("prefix", [bytes(32), HONEST.tree.mth(0, EARLIER)])
def test_a_prefix_that_the_larger_tree_does_not_have_proves_nothing(prefix):
    with pytest.raises(ConsistencyError):
        convict(replace(TRUE, prefix=prefix))


@pytest.mark.parametrize("at", range(len(TRUE.proof)))
def test_a_proof_with_another_hash_proves_nothing(at):
    proof = (*TRUE.proof[:at], bytes(32), *TRUE.proof[at + 1 :])
    with pytest.raises(ConsistencyError):
        convict(replace(TRUE, proof=proof))


@pytest.mark.parametrize("proof", [(), TRUE.proof[:-1], (*TRUE.proof, bytes(32))])
def test_a_proof_of_another_length_proves_nothing(proof):
    with pytest.raises(MalformedError, match="consistency proof is too"):
        convict(replace(TRUE, proof=proof))


def test_two_logs_may_differ():
    other = signer("log.example/other")
    claim = replace(at_equal_sizes(), second=signed(FORKED, SIZE, other))
    policy = Policy.parse(policy_text([LOG, other]))
    with pytest.raises(ConsistencyError, match="of two logs"):
        convict(claim, policy)


@pytest.mark.parametrize("member", ["first", "second"])
def test_a_checkpoint_that_the_log_did_not_sign_convicts_nobody(member):
    forged = signed(FORKED, SIZE, replace(LOG, seed=bytes(32)))
    with pytest.raises(UntrustedError):
        convict(replace(at_equal_sizes(), **{member: forged}))


def test_witnesses_cannot_convict_a_log_that_has_not_signed():
    text = checkpoint_text(SIZE, FORKED.tree.mth(0, SIZE))
    lines = [each.line(text) for each in FORKED.witnesses]
    with pytest.raises(UntrustedError):
        convict(replace(at_equal_sizes(), second=note(text, *lines)))


@pytest.mark.parametrize(
    "claim",
    [
        replace(TRUE, first=TRUE.second, second=TRUE.first),
        replace(TRUE, prefix=None),
        replace(TRUE, first=signed(HONEST, 0)),
    ],
    ids=["turned", "no prefix", "from the empty tree"],
)
def test_sizes_that_nothing_relates_prove_nothing(claim):
    with pytest.raises(MalformedError, match="not in order, or nothing relates"):
        convict(claim)


def test_extension_lines_are_refused_unless_they_are_asked_for():
    text = checkpoint_text(SIZE, FORKED.tree.mth(0, SIZE)) + "an extension\n"
    claim = replace(at_equal_sizes(), second=note(text, LOG.line(text)))
    with pytest.raises(MalformedError, match="extension"):
        convict(claim)
    assert found(convict(claim, limits=Limits(extensions=True)), "misbehaviour")


# The file


@pytest.mark.parametrize("claim", [TRUE, at_equal_sizes()], ids=["two sizes", "equal"])
def test_a_proof_of_misbehaviour_is_read_as_it_is_written(claim):
    assert Misbehaviour.parse(claim.encode()) == claim
    assert ("prefix" in json.loads(claim.encode())) == (claim is TRUE)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"schema": "provlog/misbehaviour/2"}, "does not say"),
        ({"schema": 1}, "does not say"),
        ({"first": None}, '"first" that is text'),
        ({"second": None}, '"second" that is text'),
        ({"first": "!"}, "the first checkpoint is not base64"),
        ({"second": "!"}, "the second checkpoint is not base64"),
        ({"prefix": None}, "one of prefix and proof"),
        ({"proof": None}, "one of prefix and proof"),
        ({"prefix": []}, '"prefix" that is text'),
        ({"prefix": "AAAA"}, "the prefix is 3 bytes long"),
        ({"proof": "AAAA"}, '"proof" that is a list'),
        ({"proof": ["AAAA"]}, "3 bytes long"),
        ({"key": LOG.vkey}, "nobody reads"),
    ],
    ids=str,
)
def test_a_file_of_another_form_is_refused(change, named):
    document = json.loads(TRUE.encode()) | change
    spoiled = {name: value for name, value in document.items() if value is not None}
    with pytest.raises(MalformedError, match=named):
        Misbehaviour.parse(json.dumps(spoiled).encode())


def test_a_file_is_bounded_before_it_is_read():
    with pytest.raises(MalformedError, match="at most"):
        Misbehaviour.parse(b"{" + b" " * MAX_BYTES)


@pytest.mark.parametrize(
    "idle",
    [
        {"prefix": bytes(32)},
        {"proof": TRUE.proof},
        {"prefix": TRUE.prefix, "proof": ()},
    ],
    ids=["prefix", "proof", "both"],
)
def test_between_equal_sizes_nothing_may_stand_that_nobody_reads(idle):
    with pytest.raises(MalformedError, match="nothing to prove"):
        convict(replace(at_equal_sizes(), **idle))
