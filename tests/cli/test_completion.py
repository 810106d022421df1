"""A shell completes commands, options and files, and is answered by us alone."""

import shutil
import subprocess

import pytest
from click.testing import CliRunner

from cli.main import main
from tests.cli.operating import ENVIRONMENT, PROVLOG, done, shell

SHELLS = {
    "bash": 'eval "$(PROVLOG completion bash)"; complete -p provlog',
    "zsh": "zsh -c 'autoload -Uz compinit && compinit -u -d zcompdump; "
    "source <(cat script); whence _provlog_completion'",
    "fish": "fish -c 'source script; complete -C\"nothing \"'",
}


def question(line):
    """The environment in which a shell asks for the last word of `line`."""
    return {
        "_PROVLOG_COMPLETE": "bash_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split(" ")) - 1),
    }


def offered(line):
    """What is offered for the last word of `line`, by a command in this process."""
    runner = CliRunner(env=question(line))
    ended = runner.invoke(main, prog_name="provlog")
    assert (ended.exit_code, ended.stderr) == (0, "")
    return ended.stdout.split()


def test_a_command_of_its_own_offers_the_same_and_leaves_nothing(tmp_path):
    line = "provlog policy "
    ended = subprocess.run(
        PROVLOG,
        cwd=tmp_path,
        env=ENVIRONMENT | question(line),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.split() == offered(line)
    assert not list(tmp_path.iterdir())


def test_commands_are_offered_in_the_order_of_a_logs_life():
    found = offered("provlog ")
    assert found[:3] == ["plain,init", "plain,serve", "plain,config"]
    assert {"plain,list", "plain,verify", "plain,completion"} < set(found)
    assert offered("provlog ge") == ["plain,get"]


def test_so_are_those_of_a_group():
    assert offered("provlog policy ") == ["plain,show", "plain,add-witness"]


def test_options_are_offered_to_who_begins_one():
    assert offered("provlog get --wit") == [
        "plain,--witnessed",
        "plain,--within",
    ]


def test_so_are_those_of_the_auditors_commands():
    assert offered("provlog audit --re") == ["plain,--resume"]
    assert "plain,--misbehaviour" in offered("provlog verify -")
    assert "plain,--misbehaviour" not in offered("provlog audit -")


@pytest.mark.parametrize(
    "line", ["provlog get ", "provlog verify ", "provlog submit --policy "]
)
def test_elsewhere_files_are(line):
    (found,) = offered(line)
    assert found.partition(",")[0] == "file"


@pytest.mark.parametrize("name", SHELLS)
def test_the_script_is_one_that_the_shell_takes(tmp_path, name):
    if not shutil.which(name):
        pytest.skip(f"there is no {name} here")
    (tmp_path / "script").write_text(done("completion", name))
    ended = shell(SHELLS[name], tmp_path)
    assert ended.returncode == 0, ended.stderr
