"""Whoever hands in records on a command line is told what they lack."""

import json

import pytest

from ledger.schema.profile import NAMES, Profile
from tests.cli.operating import done, provlog, record_text
from tests.livelog import FIRST
from tests.profiles import HOUSE
from tests.service.test_profiles import NO_ENV

LACKS = "flagged: env is missing: the profile house wants it: we like to know where"


@pytest.fixture
def house(new_log, tmp_path):
    """A log with a profile, and two records beside it: one that lacks something."""
    log = new_log(kind="record", settings='profiles = ["../house.toml"]\n')
    (tmp_path / "house.toml").write_text(HOUSE)
    (tmp_path / "lacks").write_bytes(record_text(1, workflow_id="w"))
    (tmp_path / "whole").write_bytes(record_text(2, workflow_id="w", env="test"))
    return log


def given(place, tmp_path, *more):
    """Both records, handed in to a folder or a service."""
    command = "submit" if str(place).startswith("http") else "append"
    return provlog(command, place, tmp_path / "lacks", tmp_path / "whole", *more)


@pytest.fixture(params=["folder", "service"])
def place(request, house, new_service, monkeypatch):
    """The log, as it is written on a command line."""
    if request.param == "folder":
        return house.folder
    monkeypatch.setenv("PROVLOG_POLICY", str(house.folder / "policy.txt"))
    return new_service(house).url


def test_a_person_is_told_beside_the_index(place, tmp_path):
    said = given(place, tmp_path)
    lacks, whole = (str(tmp_path / name) for name in ("lacks", "whole"))
    assert said.stdout == f"{FIRST + 2}  {lacks}\n{FIRST + 3}  {whole}\n"
    assert f"{lacks}: {LACKS}\n" in said.stderr
    assert said.stderr.count("flagged") == 1
    assert said.exit_code == 0


def test_a_program_is_told_in_an_object_of_its_own(place, tmp_path):
    said = [json.loads(x) for x in given(place, tmp_path, "--json").stdout.splitlines()]
    flagged = [each for each in said if "flags" in each]
    file = str(tmp_path / "lacks")
    assert flagged == [{"file": file, "index": FIRST + 2, "flags": [NO_ENV]}]
    assert len(said) == 3


def test_lines_are_named_by_their_number(place, tmp_path):
    lines = [(tmp_path / name).read_bytes().strip() for name in ("whole", "lacks")]
    (tmp_path / "lines").write_bytes(b"\n".join(lines))
    command = "submit" if str(place).startswith("http") else "append"
    said = provlog(command, place, "--lines", tmp_path / "lines")
    assert f"line 2: {LACKS}" in said.stderr
    assert said.stdout.startswith(f"{FIRST + 2}")


def test_what_is_refused_names_the_profile(place, tmp_path):
    (tmp_path / "lacks").write_bytes(record_text(1))
    said = given(place, tmp_path)
    assert said.exit_code == 1
    assert "workflow_id is missing: the profile house wants it" in said.stderr


@pytest.mark.parametrize("name", NAMES)
def test_a_profile_to_begin_with_is_printed(name):
    assert Profile.parse(done("example", "--profile", name).encode()).name == name


def test_a_kind_and_a_profile_are_not_asked_for_at_once():
    said = provlog("example", "inference", "--profile", "agent-audit")
    assert said.exit_code == 2
