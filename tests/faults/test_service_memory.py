"""A service that has answered a hundred thousand has the memory of one that began."""

import subprocess

import pytest

from tests import tools

SLACK_KB = 24 << 10
"""The caches of tiles and of signed checkpoints, and what malloc keeps for later."""
SCRIPT = 'wrk.method = "POST"\nwrk.body = "an entry"\n'


def resident_kb(pid):
    """What a process has of its own in memory; the store is in files, and not its."""
    with open(f"/proc/{pid}/status") as file:
        rows = dict(each.split(":", 1) for each in file)
    return int(rows["RssAnon"].split()[0])


def submit(service, script, count):
    """Submit so many and more, each alone; what each process has then."""
    goal = size(service) + count
    while size(service) < goal:
        command = ["wrk", "-t1", "-c32", "-d1s", "-s", str(script)]
        subprocess.run(
            [*command, f"{service.url}/add"], check=True, stdout=subprocess.DEVNULL
        )
    return {pid: resident_kb(pid) for pid in service.children()}


def size(service):
    """How many entries there are."""
    return service.ask("GET", "/healthz", operations=True).json["size"]


@pytest.mark.parametrize(
    ("warm", "many"),
    [
        pytest.param(2_000, 8_000, marks=pytest.mark.exhaustive),
        pytest.param(20_000, 100_000, marks=pytest.mark.soak),
    ],
)
def test_no_process_grows_with_what_it_has_answered(new_service, tmp_path, warm, many):
    tools.need("wrk")
    script = tmp_path / "submit.lua"
    script.write_text(SCRIPT)
    service = new_service(workers=2)
    before = submit(service, script, warm)
    after = submit(service, script, many)
    assert before.keys() == after.keys()
    assert all(after[pid] - before[pid] < SLACK_KB for pid in after), (before, after)
