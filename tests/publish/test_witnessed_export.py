"""What `provlog export` makes public has been cosigned, as what a service publishes.

Else an export would take away from a target what those who ask for a quorum need.
"""

import pytest

from tests.cli.operating import provlog, said
from tests.faults.public import QUICK, Eye, watched
from tests.witness.hostile import says
from verifier import Policy, verify_checkpoint
from verifier.errors import QuorumError

SOON = QUICK + "witness_timeout_ms = 1500\n"


@pytest.fixture
def log(new_log):
    log = new_log(settings=SOON)
    log.append(b"one", b"two")
    return log


def public(log, dest):
    """What is at `dest`, if the log's own policy believes it."""
    policy = Policy.parse((log.folder / "policy.txt").read_bytes())
    return verify_checkpoint((dest / "checkpoint").read_bytes(), policy)


def test_it_has_the_cosignatures_of_all_witnesses_who_answer(log, tmp_path):
    eyes = [Eye(name, log) for name in ("w1", "w2")]
    with watched(log, *((eye.name, eye.vkey, eye) for eye in eyes)):
        assert said("export", log.folder, tmp_path / "public")["witnessed"]
        assert set(public(log, tmp_path / "public").cosigned) == {b"w1", b"w2"}
        log.append(b"three")
        assert said("export", log.folder, tmp_path / "public")["size"] == 3
        assert public(log, tmp_path / "public").checkpoint.size == 3


def test_without_a_quorum_nothing_is_published_where_it_is_closed(log, tmp_path):
    eye = Eye("w1", log)
    with watched(log, ("w1", eye.vkey, eye)) as [witness]:
        provlog("export", log.folder, tmp_path / "public")
        before = (tmp_path / "public" / "checkpoint").read_bytes()
        log.append(b"three")
        witness.behave = says(500)
        ended = provlog("export", log.folder, tmp_path / "public")
        assert ended.exit_code == 2
        assert "no quorum of witnesses has cosigned size 3" in ended.stderr
        assert (tmp_path / "public" / "checkpoint").read_bytes() == before


def test_where_it_is_open_it_is_said_that_none_has_cosigned(log, tmp_path):
    settings = log.folder / "log.toml"
    settings.write_text(settings.read_text() + 'witness_failure = "open"\n')
    with watched(log, ("w1", Eye("w1", log).vkey, says(500))):
        ended = provlog("export", log.folder, tmp_path / "public")
        assert ended.exit_code == 0
        assert "no quorum of witnesses has cosigned" in ended.stderr
        with pytest.raises(QuorumError):
            public(log, tmp_path / "public")


def test_a_quorum_that_is_lost_takes_no_cosignature_of_the_same_tree_back(
    log, tmp_path
):
    settings = log.folder / "log.toml"
    settings.write_text(settings.read_text() + 'witness_failure = "open"\n')
    eye = Eye("w1", log)
    with watched(log, ("w1", eye.vkey, eye)) as [witness]:
        provlog("export", log.folder, tmp_path / "public")
        witness.behave = says(500)
        assert not said("export", log.folder, tmp_path / "public")["witnessed"]
        assert public(log, tmp_path / "public").cosigned
