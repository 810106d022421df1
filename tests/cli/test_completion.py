"""A shell completes commands, options and files, and is answered by us alone."""

import shutil
import subprocess

import pytest

from tests.cli.operating import ENVIRONMENT, PROVLOG, done, shell

SHELLS = {
    "bash": 'eval "$(PROVLOG completion bash)"; complete -p provlog',
    "zsh": "zsh -c 'autoload -Uz compinit && compinit -u -d zcompdump; "
    "source <(cat script); whence _provlog_completion'",
    "fish": "fish -c 'source script; complete -C\"nothing \"'",
}


def offered(folder, line):
    """What is offered for the last word of `line`."""
    asked = {
        "_PROVLOG_COMPLETE": "bash_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split(" ")) - 1),
    }
    ended = subprocess.run(
        PROVLOG,
        cwd=folder,
        env=ENVIRONMENT | asked,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout.split()


def test_commands_are_offered_in_the_order_of_a_logs_life(tmp_path):
    found = offered(tmp_path, "provlog ")
    assert found[:3] == ["plain,init", "plain,serve", "plain,config"]
    assert {"plain,list", "plain,verify", "plain,completion"} < set(found)
    assert offered(tmp_path, "provlog ge") == ["plain,get"]


def test_so_are_those_of_a_group(tmp_path):
    assert offered(tmp_path, "provlog policy ") == ["plain,show", "plain,add-witness"]


def test_options_are_offered_to_who_begins_one(tmp_path):
    assert offered(tmp_path, "provlog get --wit") == [
        "plain,--witnessed",
        "plain,--within",
    ]


def test_so_are_those_of_the_auditors_commands(tmp_path):
    assert offered(tmp_path, "provlog audit --re") == ["plain,--resume"]
    assert "plain,--misbehaviour" in offered(tmp_path, "provlog verify -")
    assert "plain,--misbehaviour" not in offered(tmp_path, "provlog audit -")


@pytest.mark.parametrize(
    "line", ["provlog get ", "provlog verify ", "provlog submit --policy "]
)
def test_elsewhere_files_are(tmp_path, line):
    (found,) = offered(tmp_path, line)
    assert found.partition(",")[0] == "file"


@pytest.mark.parametrize("name", SHELLS)
def test_the_script_is_one_that_the_shell_takes(tmp_path, name):
    if not shutil.which(name):
        pytest.skip(f"there is no {name} here")
    (tmp_path / "script").write_text(done("completion", name))
    ended = shell(SHELLS[name], tmp_path)
    assert ended.returncode == 0, ended.stderr
