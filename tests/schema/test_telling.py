"""What is told of a record is what it says, whatever it says."""

import pytest
from hypothesis import given

from ledger.schema.kinds import KINDS
from ledger.schema.telling import told
from tests.schema.cases import EXAMPLES, INFERENCE, records


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_told_with_who_and_when(kind):
    record = EXAMPLES[kind]
    lines = dict(told(record))
    assert lines["what"] == f"{KINDS[kind].says} ({kind})"
    assert lines["when"].startswith(record["time"])
    assert record["actor"]["id"] in lines["who"]
    assert all(lines.values())


def test_members_that_nobody_here_knows_are_named():
    assert dict(told({**INFERENCE, "mood": "good"}))["besides"] == "mood"
    assert "besides" not in dict(told(INFERENCE))


def test_what_has_no_line_of_its_own_is_named():
    more = {"trace": {"trace_id": "1" * 32}, "risk": {"purpose": "refund"}}
    assert dict(told({**INFERENCE, **more}))["not shown"] == "trace, usage, risk"


def test_values_that_are_sealed_are_named_by_their_places():
    sealed = [{"path": ["tool", "args", 0], "digest": "sha256:" + "0" * 64}]
    lines = dict(told({**INFERENCE, "commitments": sealed}))
    assert lines["sealed"] == "1 values: tool/args/0"


def test_a_kind_of_ones_own_is_told_as_that():
    assert dict(told({**INFERENCE, "kind": "x-a.b"}))["what"] == (
        "Something of its own. (x-a.b)"
    )


@given(records())
def test_what_another_log_took_is_told_as_far_as_it_can_be(record):
    assert all(isinstance(says, str) and says for _, says in told(record))
