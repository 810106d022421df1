"""python -m verifier monitor keeps the proof that a log has forked beside its state."""

import pytest

from tests.auditor import Auditor
from tests.testlog import TestLog


@pytest.fixture
def auditor(tmp_path, capsys):
    """An auditor who has seen one history, and is shown another."""
    auditor = Auditor(tmp_path, capsys)
    for name, entries in (("one", [b"a", b"b"]), ("two", [b"a", b"c"])):
        log = TestLog(tmp_path / name)
        log.append(*entries)
        auditor.file("policy", log.policy_text)
    assert monitor(auditor, "one") == 0
    return auditor


def monitor(auditor, name):
    """One round at the log `name`."""
    folder = auditor.folder
    words = ("--policy", str(folder / "policy"), "--state", str(folder / "state"))
    return auditor.run("monitor", *words, "--now", "1790000600", str(folder / name))


def test_a_fork_leaves_a_proof_that_anybody_can_check(auditor):
    assert monitor(auditor, "two") == 1
    assert "proves it to anybody" in auditor.out
    policy = str(auditor.folder / "policy")
    proof = str(auditor.folder / "state.misbehaviour")
    assert auditor.run("verify", "--misbehaviour", "--policy", policy, proof) == 0


def test_a_fork_is_told_also_where_its_proof_cannot_be_kept(auditor):
    (auditor.folder / "state.misbehaviour").mkdir()
    assert monitor(auditor, "two") == 1
    assert "it could not be kept" in auditor.out
    assert "has signed two histories" in auditor.err
