"""A monitor remembers all that a log has signed, until a tree that held has it."""

import json

import pytest

from tests.testlog import LOG, ORIGIN, TIME, WITNESSES, b64, checkpoint_text, note
from verifier.errors import MalformedError
from verifier.memory import MAX_SIGNED, Memory, said


def signed(size, root=bytes(32)):
    """A checkpoint that the log has signed, and perhaps nobody else."""
    text = checkpoint_text(size, root)
    return note(text, LOG.line(text))


TRUE = Memory(held=signed(5), since=TIME, signed=(signed(7), signed(9)))


# What is remembered


def test_what_was_signed_comes_after_what_held():
    assert [checkpoint.size for _, checkpoint in TRUE.heads()] == [5, 7, 9]
    assert [data for data, _ in TRUE.heads()] == [TRUE.held, *TRUE.signed]


def test_who_has_seen_nothing_remembers_nothing():
    assert Memory().heads() == []


def test_a_note_says_what_was_signed():
    assert (said(signed(7)).origin, said(signed(7)).size) == (ORIGIN, 7)


@pytest.mark.parametrize("size", [5, 9])
def test_the_same_checkpoint_is_remembered_once(size):
    assert TRUE.with_signed(signed(size)) == TRUE


def test_the_same_checkpoint_with_other_cosignatures_is_the_same():
    text = checkpoint_text(9, bytes(32))
    cosigned = note(text, LOG.line(text), WITNESSES[0].line(text))
    assert TRUE.with_signed(cosigned) == TRUE


def test_another_root_of_the_same_size_is_another_checkpoint():
    other = signed(9, b"\x01" * 32)
    assert TRUE.with_signed(other).signed == (*TRUE.signed, other)


def test_of_too_many_the_oldest_half_and_the_newest_half_are_kept():
    memory = Memory()
    for size in range(1, 3 * MAX_SIGNED):
        memory = memory.with_signed(signed(size))
        assert len(memory.signed) == min(size, MAX_SIGNED)
    sizes = [checkpoint.size for _, checkpoint in memory.heads()]
    half = MAX_SIGNED // 2
    assert sizes == [*range(1, half + 1), *range(3 * MAX_SIGNED - half, 3 * MAX_SIGNED)]


@pytest.mark.parametrize(("size", "left"), [(7, [9]), (8, [9]), (9, []), (11, [])])
def test_a_tree_that_held_covers_what_is_not_larger(size, left):
    after = TRUE.with_held(signed(size), TIME + 9)
    assert after.held == signed(size)
    assert [said(each).size for each in after.signed] == left


def test_since_when_a_size_is_known_changes_with_the_size():
    assert TRUE.with_held(signed(5), TIME + 9).since == TIME
    assert TRUE.with_held(signed(6), TIME + 9).since == TIME + 9
    assert Memory().with_held(signed(0), TIME + 9).since == TIME + 9


# The state file


@pytest.mark.parametrize(
    "memory",
    [TRUE, Memory(), Memory(held=signed(0), since=TIME), Memory(signed=(signed(3),))],
    ids=["all", "nothing", "what held", "what was signed"],
)
def test_the_state_is_read_as_it_was_written(memory):
    assert Memory.parse(memory.encode()) == memory


def test_a_state_without_anything_signed_besides_is_read():
    data = {"schema": "provlog/monitor/1", "checkpoint": b64(signed(5)), "since": TIME}
    expected = Memory(held=signed(5), since=TIME)
    assert Memory.parse(json.dumps(data).encode()) == expected


def test_as_many_as_are_kept_are_read():
    memory = Memory(signed=tuple(signed(size) for size in range(MAX_SIGNED)))
    assert Memory.parse(memory.encode()) == memory


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "provlog/monitor/2"},
        {"schema": None},
        {"checkpoint": "?"},
        {"checkpoint": 7},
        {"checkpoint": None},
        {"checkpoint": b64(b"no note")},
        {"checkpoint": b64(signed(5)[:-1])},
        {"since": "now"},
        {"since": True},
        {"since": 1.5},
        {"signed": None},
        {"signed": {}},
        {"signed": b64(signed(7))},
        {"signed": [7]},
        {"signed": ["?"]},
        {"signed": [b64(b"no note")]},
        {"signed": [b64(signed(size)) for size in range(MAX_SIGNED + 1)]},
        {"origin": ORIGIN},
    ],
    ids=lambda change: repr(change)[:40],
)
def test_a_changed_state_is_malformed(change):
    data = json.dumps(json.loads(TRUE.encode()) | change).encode()
    with pytest.raises(MalformedError):
        Memory.parse(data)


def test_a_state_without_its_time_is_malformed():
    with pytest.raises(MalformedError, match="since"):
        Memory.parse(b'{"schema": "provlog/monitor/1"}')


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"x", TRUE.encode()[:-3]])
def test_a_damaged_state_is_malformed(data):
    with pytest.raises(MalformedError, match="the monitor's state"):
        Memory.parse(data)
