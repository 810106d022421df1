"""provlog monitor runs until it is stopped, or for one round, and says how that went.

Its JSON is one object a line. A second monitor is not let at the same state.
"""

import json
import signal
import sys

import pytest

from tests.cli.operating import provlog, start
from tests.loopback import Server, folder, running
from tests.testlog import TestLog


@pytest.fixture
def made(tmp_path, monkeypatch):
    """A log, and its policy, in the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROVLOG_POLICY", "policy")
    made = TestLog(tmp_path / "log")
    made.append(*(b"%d" % at for at in range(300)))
    (tmp_path / "policy").write_bytes(made.policy_text)
    return made


def withhold(made):
    (made.folder / "tile/entries/000").unlink()


def once(*words, source="log"):
    return provlog("monitor", source, "--state", "state", "--once", *words)


def test_one_round_says_what_holds(made):
    given = once()
    assert given.exit_code == 0
    assert "entries     holds   those that were read" in given.stdout


def test_one_round_says_what_does_not(made):
    withhold(made)
    given = once()
    assert given.exit_code == 1
    assert "started  missing  tile/entries/000: it is not there" in given.stdout
    assert "error: entries: missing" in given.stderr


def test_a_log_behind_an_address_is_watched_alike(made):
    server = Server()
    server.behaviours = [folder(made.folder)]
    with running(server):
        assert once(source=server.prefix).exit_code == 0
        withhold(made)
        assert once(source=server.prefix).exit_code == 1


def test_json_is_an_object_a_line(made):
    withhold(made)
    alarm, found = map(json.loads, once("--json").stdout.splitlines())
    assert alarm.keys() == {"event", "kind", "says", "at", "source", "size", "id"}
    assert (alarm["event"], alarm["kind"]) == ("started", "missing")
    assert (found["event"], found["holds"], found["size"]) == ("round", False, 300)


def test_a_match_is_told_with_its_index(made):
    once()
    made.append(b"a needle")
    [alarm, _] = once("--json", "--match-text", "needle").stdout.splitlines()
    assert json.loads(alarm)["index"] == 300


def test_a_command_is_told(made, tmp_path):
    text = "import sys; open('told', 'w').write(sys.stdin.read())"
    (tmp_path / "tell.py").write_text(text)
    withhold(made)
    once("--tell", f"{sys.executable} tell.py")
    assert json.loads((tmp_path / "told").read_text())["kind"] == "missing"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--match", "x"], "PATH=GLOB"),
        (["--tell", ""], "is empty"),
        (["--webhook", "https://a.example"], "need each other"),
        (["--final", "300"], "--final"),
        (["--now", "soon"], "is no time"),
        (["--now", "2026-11-20T10:00:00"], "is no time"),
    ],
)
def test_what_cannot_be_meant_is_said_before_anything_is_done(made, words, says):
    given = once(*words)
    assert given.exit_code
    assert says in given.stderr
    assert not list(made.folder.parent.glob("state*"))


def test_beyond_the_last_tree_nothing_is_believed(made):
    """Whoever has the lost key can sign more: it is no news, and not looked at."""
    final = f"300:{made.check().root.hex()}"
    assert once("--final", final).exit_code == 0
    made.append(b"a needle")
    given = once("--json", "--final", final, "--match-text", "needle")
    assert given.exit_code == 1
    kinds = [json.loads(each).get("kind") for each in given.stdout.splitlines()]
    assert kinds == ["untrusted", None]
    assert "the log ended at size 300" in given.stderr
    other = once("--final", f"301:{'0' * 64}")
    assert "has another root than this checkpoint" in other.stderr


def test_a_logs_own_folder_is_said_to_be_one(made):
    (made.folder / "store").mkdir()
    given = once()
    assert given.exit_code == 2
    assert "is a log's own folder" in given.stderr


def test_it_runs_until_it_is_stopped_and_tells_what_begins_and_ends(made):
    hidden = made.folder / "tile/entries/000"
    aside = hidden.with_name("aside")
    words = ("monitor", "log", "--state", "state", "--every", 1, "--json")
    with start(*words, "--policy", "policy") as process:
        try:
            assert next(events(process))["holds"]
            hidden.rename(aside)
            assert next(alarms(process)) == ("started", "missing")
            assert "another process is at work" in once().stderr
            aside.rename(hidden)
            assert next(alarms(process)) == ("ended", "missing")
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert (
            process.stderr.read()
            == b"provlog: watching log every 1 s; state in state\n"
        )
    assert once().exit_code == 0


def test_who_does_not_say_where_has_the_same_state_at_each_start(made, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(made.folder.parent / "usual"))
    for _ in range(2):
        assert provlog("monitor", "log", "--policy", "policy", "--once").exit_code == 0
    [state] = made.folder.parent.glob("usual/provlog/monitor-????????????????")
    assert state.stat().st_size


def events(process):
    yield from map(json.loads, process.stdout)


def alarms(process):
    for each in events(process):
        if each["event"] != "round":
            yield each["event"], each["kind"]
