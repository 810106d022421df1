"""What is in deploy/ fits the program: its commands, settings, paths, and patience."""

import dataclasses
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cli.main import main
from ledger.config import ENVIRONMENT, Config
from tests import tools
from tests.house.shell import blocks

ROOT = Path(__file__).resolve().parents[2]
UNIT = ROOT / "deploy" / "provlog.service"
IMAGE = ROOT / "deploy" / "Dockerfile"
PAGE = (ROOT / "docs" / "operations.md").read_text()
FILES = pytest.mark.parametrize("path", [UNIT, IMAGE], ids=lambda path: path.name)
SETTINGS = {each.name for each in dataclasses.fields(Config)}
DEFAULTS = Config()


def unit(name):
    """The values of a directive of the unit."""
    return re.findall(rf"^{name}=(.*)$", UNIT.read_text(), re.MULTILINE)


def image(word):
    """What follows an instruction of the Dockerfile, continued lines joined."""
    text = IMAGE.read_text().replace("\\\n", "")
    return re.findall(rf"^{word}\s+(.*)$", text, re.MULTILINE)


def shown_above(path):
    """The commands in the comment that a file begins with."""
    head = path.read_text().split("\n\n", 1)[0]
    return re.findall(r"^#   (\S.*)$", head, re.MULTILINE)


# What both of them say


@FILES
def test_a_command_that_is_named_is_one(path):
    named = re.findall(r"provlog (?!\.|:|-)([a-z]+) (?:/|create)", path.read_text())
    serves = json.loads(image("CMD")[0])[0] if path is IMAGE else named[-1]
    assert {*named, serves} >= {"init", "serve"}
    assert {*named, serves} <= set(main.commands)


@FILES
def test_a_setting_that_is_named_is_one(path):
    text = path.read_text()
    variables = {
        each.lower() for each in re.findall(rf"\b{ENVIRONMENT}([A-Z_]+)=", text)
    }
    assert variables == {"listen"}
    assert variables <= SETTINGS
    assert "`connections`" not in text or "connections" in SETTINGS


@FILES
def test_the_manual_shows_the_commands_that_the_file_begins_with(path):
    shown = [line for info, lines in blocks(PAGE) if info == "sh" for line in lines]
    assert len(shown_above(path)) >= 5
    assert set(shown_above(path)) <= set(shown)


@FILES
def test_who_stops_it_is_more_patient_than_it_needs(path):
    patience = [
        int(each)
        for each in re.findall(
            r"(?:TimeoutStopSec=|--stop-timeout )(\d+)", path.read_text()
        )
    ]
    assert patience
    assert min(patience) > DEFAULTS.stop_s
    assert f"{DEFAULTS.stop_s}" in re.findall(r"stop_s.* is (\d+)", path.read_text())


# systemd


def test_the_unit_serves_the_log_that_its_header_makes():
    (start,) = unit("ExecStart")
    program, command, folder = start.split()
    made = next(line for line in shown_above(UNIT) if " init " in line)
    assert f"{program} init {folder} " in made
    assert command == "serve"
    assert Path(folder).parent.as_posix() in unit("ReadWritePaths")
    assert f"--home-dir {Path(folder).parent} {unit('User')[0]}" in " ".join(
        shown_above(UNIT)
    )


def test_the_unit_has_room_for_what_the_log_may_open_and_hold():
    assert int(unit("LimitNOFILE")[0]) > DEFAULTS.connections + 1_000
    # The sum that the manual gives under "How large", with what it says by default.
    held = (DEFAULTS.workers + 3) * (18 << 20) + DEFAULTS.connections * (100 << 10)
    held += DEFAULTS.pool_bytes + DEFAULTS.batch_bytes
    held += DEFAULTS.workers * DEFAULTS.memory_bytes
    assert round(held / (10 << 20)) == 65
    assert "By default that is 650 MiB" in PAGE
    assert unit("MemoryMax") == ["2G"]
    assert 2 * held < 2 << 30


def test_a_service_whose_writer_has_died_is_started_again():
    assert unit("Restart") == ["on-failure"]


def test_systemd_understands_the_unit(tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed, which reads units")
    here = tmp_path / UNIT.name
    program = unit("ExecStart")[0].split()[0]
    here.write_text(UNIT.read_text().replace(program, sys.executable))
    done = subprocess.run(
        ["systemd-analyze", "verify", here], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def filters():
    """The sets of system calls that systemd knows, by their names."""
    listed = subprocess.run(
        ["systemd-analyze", "syscall-filter", "--no-pager"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = {}
    for block in re.split(r"\n(?=@)", listed):
        name, *rest = block.splitlines()
        found[name] = {each.strip() for each in rest if "#" not in each} - {""}
    return found


def calls_in(sets, name):
    """The system calls in a set, and in the sets in it."""
    if not name.startswith("@"):
        return {name}
    return set().union(*(calls_in(sets, each) for each in sets[name]))


def granted():
    """What the unit allows, each line on top of those before."""
    sets, allowed = filters(), set()
    for line in unit("SystemCallFilter"):
        calls = set().union(*(calls_in(sets, each) for each in line.strip("~").split()))
        allowed = allowed - calls if line.startswith("~") else allowed | calls
    return allowed


@pytest.mark.exhaustive
def test_the_service_makes_no_system_call_that_the_unit_forbids(new_service, tmp_path):
    tools.need("strace")
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed, which knows the sets of calls")
    counts = tmp_path / "counts"
    trace = ("strace", "-D", "-f", "-c", "-U", "name", "-o", str(counts))
    service = new_service(workers=1, wrapper=trace)
    service.submit(b"an entry")
    service.until(lambda: service.get("/v1/receipts/0").status == 200)
    assert service.stop() == 0
    # strace ends a moment after what it watches.
    service.until(lambda: "total" in counts.read_text().split())
    made = set(re.findall(r"^\w+$", counts.read_text(), re.MULTILINE))
    assert {"clone", "accept4", "fdatasync"} <= made
    assert made - {"syscall", "total"} <= granted()


# Containers


def test_the_image_installs_the_exact_versions_of_the_lock():
    (run,) = [each for each in image("RUN") if "grep" in each]
    (grep,) = re.findall(r"grep -oE .+ requirements\.lock", run)
    lines = subprocess.run(
        ["sh", "-c", grep], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert all(re.fullmatch(r"[a-z0-9.-]+==[0-9][0-9a-z.+]*", line) for line in lines)
    names = [line.split("==")[0] for line in lines]
    assert len(set(names)) == len(names)
    whole = (ROOT / "pyproject.toml").read_text()
    needed = re.search(r"^dependencies = \[(.*?)^\]", whole, re.MULTILINE | re.DOTALL)
    asked = re.findall(r'^ +"([a-z0-9-]+)[><=\[]', needed[1], re.MULTILINE)
    assert len(asked) >= 9
    assert set(asked) <= set(names)


def test_what_the_image_copies_is_enough_to_build_it(tmp_path):
    for line in image("COPY"):
        if not line.startswith("--from"):
            *sources, target = line.split()
            for each in sources:
                copy(ROOT / each, tmp_path / target / (each if target == "./" else ""))
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    alone = ["--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run(
        [*pip, "wheel", *alone, "--wheel-dir", tmp_path / "wheels", tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "wheels").glob("provlog-*.whl"))


def copy(source, target):
    if source.is_dir():
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, target, ignore=ignored)
    else:
        shutil.copy(source, target)


def test_what_the_image_copies_is_all_that_a_builder_is_sent():
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    copied = [
        name
        for each in image("COPY")
        if not each.startswith("--from")
        for name in each.split()[:-1]
    ]
    assert "*" in lines
    assert {each[1:] for each in lines if each.startswith("!")} == set(copied)


def test_the_image_runs_without_root_and_hears_sigterm():
    assert image("USER") == ["provlog"]
    assert image("STOPSIGNAL") == ["SIGTERM"]
    assert json.loads(image("ENTRYPOINT")[0]) == ["provlog"]


def test_the_image_is_not_ended_for_a_log_that_can_be_read():
    (line,) = image("HEALTHCHECK")
    assert f"http://{DEFAULTS.operations}/healthz" in line
    assert image("EXPOSE") == [DEFAULTS.listen.rpartition(":")[2]]


@pytest.mark.exhaustive
def test_a_second_container_on_one_volume_is_refused(new_service):
    # Each has processes of its own, so that none sees the number of the other's.
    apart = ["unshare", "--fork", "--pid", "--mount-proc"]
    if subprocess.run([*apart, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine lends no name space of processes")
    service = new_service()
    done = subprocess.run(
        [*apart, sys.executable, "-m", "cli", "serve", str(service.live.folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "error: locked: " in done.stderr
    service.submit(b"the first one goes on")
