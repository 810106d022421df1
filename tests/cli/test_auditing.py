"""The auditor's commands are the verifier's own, and know what else ours know.

They are given a policy by the environment, as all others; what is misspelt is answered
with what is like it; and a log's own folder is said to be one.
"""

import pytest

from tests.cli.operating import done, provlog
from verifier import __main__ as verifier

POLICY = "PROVLOG_POLICY"


@pytest.fixture
def exported(new_log, tmp_path, monkeypatch):
    """A log with a copy for the auditor, and a bundle; by what words it is named."""
    log = new_log()
    log.append(b"content")
    monkeypatch.chdir(tmp_path)
    done("export", log.folder, "copy")
    done("get", log.folder, 0, "--out", "bundle")
    return {"log": str(log.folder), "policy": str(log.folder / "policy.txt")}


AUDITS = {
    "verify": ["verify", "bundle"],
    "audit": ["audit", "copy"],
    "monitor": ["monitor", "--once", "--state", "state", "copy"],
}


@pytest.mark.parametrize("name", AUDITS)
def test_the_policy_may_stand_in_the_environment(exported, monkeypatch, name):
    assert provlog(*AUDITS[name]).exit_code == 2
    monkeypatch.setenv(POLICY, exported["policy"])
    done(*AUDITS[name])


@pytest.mark.parametrize("option", ["--policy POLICY", "--policy=POLICY"])
def test_the_one_that_is_given_goes_before_it(exported, monkeypatch, option):
    monkeypatch.setenv(POLICY, "absent")
    done("audit", *option.replace("POLICY", exported["policy"]).split(), "copy")


def test_what_asks_for_no_policy_is_given_none(exported, monkeypatch):
    monkeypatch.setenv(POLICY, "absent")
    done("inspect", "bundle")


def test_a_file_that_is_called_like_the_option_is_none(exported, monkeypatch):
    monkeypatch.setenv(POLICY, exported["policy"])
    given = provlog("verify", "--", "--policy")
    assert "--policy: No such file" in given.stderr


def test_the_verifier_alone_believes_nobody_whom_it_was_not_told(
    exported, monkeypatch, capsys
):
    monkeypatch.setenv(POLICY, exported["policy"])
    with pytest.raises(SystemExit) as ended:
        verifier.main(["audit", "copy"])
    assert ended.value.code == 2
    assert "required: --policy" in capsys.readouterr().err


def test_an_option_that_is_misspelt_is_answered_with_what_is_like_it(exported):
    given = provlog("audit", "--polcy", exported["policy"], "copy")
    assert given.exit_code == 2
    assert "--policy" in given.stderr


def test_a_logs_own_folder_is_said_to_be_one(exported):
    given = provlog("audit", "--policy", exported["policy"], exported["log"])
    assert given.exit_code == 2
    assert f"hint: {exported['log']} is a log's own folder" in given.stderr
    assert f"provlog fsck {exported['log']}" in given.stderr


@pytest.mark.parametrize("option", ["--policy LOG", "--policy=LOG"])
def test_where_a_folder_is_given_as_a_policy_it_is_said_what_is_in_it(exported, option):
    words = option.replace("LOG", exported["log"]).split()
    given = provlog("audit", *words, "copy")
    assert given.exit_code == 2
    hint = f"hint: {exported['log']} is a folder; its policy is {exported['policy']}\n"
    assert hint in given.stderr
    assert "own folder" not in given.stderr
