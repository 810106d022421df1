"""provlog id prints ids that a log takes, for records that are written by hand."""

from capture.ids import IDS
from tests.cli.operating import done, provlog, shell
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


def test_the_example_in_the_help_makes_a_record_that_is_logged(new_log, tmp_path):
    (example,) = [
        line.strip() for line in done("id", "--help").splitlines() if "echo" in line
    ]
    made = shell(example.replace("$(provlog", "$(PROVLOG"), tmp_path)
    assert made.returncode == 0, made.stderr
    folder = new_log(kind="record").folder
    assert done("append", folder, tmp_path / "run.json").startswith("1  ")
