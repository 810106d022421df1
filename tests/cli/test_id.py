"""provlog id prints ids that a log takes, for records that are written by hand."""

import json
import subprocess
import sys

import click
import pytest

from capture.ids import IDS
from cli.main import main
from tests.cli.operating import done, provlog
from verifier.record import check_record


def test_an_id_is_one_that_a_record_may_have():
    (printed,) = done("id").splitlines()
    check_record({"id": printed})


def test_many_are_as_many_as_were_asked_for_each_larger_than_the_one_before():
    printed = done("id", "-n", 300).splitlines()
    assert len(printed) == 300
    assert printed == sorted(set(printed))
    assert printed[-1] < IDS.new()


def test_none_is_no_number_of_ids():
    assert provlog("id", "-n", 0).exit_code == 2


# Who gives a command waits for that one alone

READ = (
    "import json, sys; from cli.main import main\n"
    "try: main(['id'])\n"
    "finally: print(json.dumps(sorted(sys.modules)))"
)


def test_no_other_command_is_read_and_no_database_and_no_server():
    said = subprocess.check_output([sys.executable, "-c", READ], text=True)
    read = set(json.loads(said.splitlines()[-1]))
    assert "cli.id" in read
    assert not {"cli.append", "cli.serve", "cli.auditing", "lmdb", "aiohttp"} & read


@pytest.mark.parametrize("name", list(main.commands))
def test_what_is_read_for_a_name_is_the_command_of_that_name(name):
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert (command.name, command.callback is not None) == (name, True)
