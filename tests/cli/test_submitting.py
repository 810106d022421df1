"""provlog submit logs over the network, and says an index when its receipt holds."""

import json
import socket
from contextlib import ExitStack

import pytest

from tests.capture.live import serving, token_of
from tests.cli.operating import done, provlog, record_text, shell, start
from tests.statements import CI, OTHER, added, envelope, sign1
from tests.testlog import policy_text
from verifier.pem import key_text

SETTINGS = "publish_interval_ms = 50"


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    with serving(
        tmp_path_factory.mktemp("records"),
        workers=0,
        kind="record",
        settings=SETTINGS,
    ) as service:
        yield service


@pytest.fixture(scope="module")
def closed(tmp_path_factory):
    """A log of bytes whose readers need a token as well."""
    with serving(
        tmp_path_factory.mktemp("closed"),
        workers=0,
        settings=f'{SETTINGS}\nreads = "token"',
    ) as service:
        service.token = token_of(service)
        yield service


@pytest.fixture
def record(records, tmp_path, monkeypatch):
    """Writes files with records that nobody else has."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROVLOG_POLICY", str(records.live.folder / "policy.txt"))
    first = len(list_of(records)) * 1_000

    def write(name, number, **members):
        (tmp_path / name).write_bytes(record_text(first + number, **members) + b"\n")
        return name

    return write


def list_of(service, **options):
    return done("list", service.live.folder, "--json").splitlines()


def newest(service):
    return json.loads(list_of(service)[-1])


# Files


def test_each_file_is_logged_and_said_with_its_index(records, record):
    record("one", 1)
    record("two", 2)
    before = newest(records)["index"]
    shown = done("submit", records.url, "one", "two")
    assert shown == f"{before + 1}  one\n{before + 2}  two\n"
    assert newest(records)["index"] == before + 2


def test_the_same_command_again_says_the_same_indexes(records, record):
    record("one", 1)
    first = done("submit", records.url, "one")
    assert done("submit", records.url, "one") == f"{first[:-1]}  already logged\n"


def test_a_program_gets_an_object_a_line(records, record):
    record("one", 1)
    index = newest(records)["index"] + 1
    said = json.loads(done("submit", records.url, "one", "--json"))
    assert said == {"file": "one", "index": index, "repeated": False}


def test_the_address_may_stand_in_the_environment(records, record, monkeypatch):
    monkeypatch.setenv("PROVLOG_URL", records.url)
    assert done("submit", record("one", 1)).endswith("  one\n")


def test_of_a_conflict_a_program_is_told_where_the_first_one_stands(records, record):
    index = int(done("submit", records.url, record("one", 1)).split()[0])
    given = provlog("submit", records.url, record("other", 1, note="x"), "--json")
    said = json.loads(given.stdout)
    assert (said["refused"], said["index"]) == ("conflict", index)


def test_what_is_refused_has_no_index_and_the_others_are_logged(records, record):
    record("one", 1)
    done("submit", records.url, "one")
    record("changed", 1, note="changed")
    record("good", 2)
    (records.live.folder.parent / "bad").write_bytes(b'{"id": 1}')
    bad = records.live.folder.parent / "bad"
    given = provlog("submit", records.url, "changed", bad, "missing", "good")
    assert given.exit_code == 1
    assert given.stdout.endswith("  good\n")
    assert given.stdout.count("\n") == 1
    assert "changed: refused: conflict: " in given.stderr
    assert "bad: refused: schema: schema is missing: provlog/record/1" in given.stderr
    assert "missing: refused: file: it cannot be read" in given.stderr


# Lines


def test_new_lines_are_said_in_rows(records, record, tmp_path):
    record("known", 1)
    done("submit", records.url, "known")
    lines = [
        record_text(newest(records)["index"] * 1_000 + 500 + at) for at in range(300)
    ]
    known = (tmp_path / "known").read_bytes().strip()
    (tmp_path / "lines").write_bytes(b"\n".join([*lines, known, b"no record"]))
    start = newest(records)["index"] + 1
    given = provlog("submit", records.url, "--lines", "lines", "--json")
    assert given.exit_code == 1
    *rows, again, refused = sorted(
        map(json.loads, given.stdout.splitlines()), key=lambda each: each.get("line", 0)
    )
    assert rows == [
        {"start": start, "stop": start + 256},
        {"start": start + 256, "stop": start + 300},
    ]
    assert (again["line"], again["repeated"]) == (301, True)
    assert (refused["line"], refused["refused"]) == (302, "form")


def test_a_line_is_logged_before_the_next_one_comes(records, record, tmp_path):
    line = (tmp_path / record("one", 1)).read_bytes()
    policy = ("--policy", records.live.folder / "policy.txt")
    with start("submit", records.url, "--lines", "-", *policy) as process:
        process.stdin.write(line)
        process.stdin.flush()
        assert int(process.stdout.readline()) == newest(records)["index"]
        process.stdin.close()
        assert process.wait(20) == 0


def test_in_a_log_of_bytes_each_line_is_one_entry(closed, tmp_path, monkeypatch):
    monkeypatch.setenv("PROVLOG_TOKEN", closed.token)
    (tmp_path / "lines").write_bytes(b"a\n\nb")
    policy = ("--policy", closed.live.folder / "policy.txt")
    first = len(list_of(closed))
    shown = done("submit", closed.url, "--lines", tmp_path / "lines", *policy)
    assert shown == f"{first} to {first + 2}\n"


# Bundles


def test_a_bundle_is_written_where_it_is_wanted(records, record, tmp_path):
    record("one", 1)
    record("two", 2)
    done("submit", records.url, "one", "--out", "one.file")
    (tmp_path / "out").mkdir()
    done("submit", records.url, "one", "two", "--out", "out")
    for name in ("one.file", "out/one.bundle", "out/two.bundle"):
        policy = records.live.folder / "policy.txt"
        assert "inclusion   holds" in done("verify", "--policy", policy, name)


def test_that_of_a_line_is_called_by_its_index(records, record, tmp_path):
    (tmp_path / "out").mkdir()
    index = int(done("submit", records.url, "--lines", record("x", 1), "--out", "out"))
    assert [each.name for each in (tmp_path / "out").iterdir()] == [f"{index}.bundle"]


def test_without_a_word_nothing_is_written(records, record, tmp_path):
    done("submit", records.url, record("one", 1))
    assert [each.name for each in tmp_path.iterdir()] == ["one"]


def test_a_bundle_that_cannot_be_written_leaves_what_is_logged_said(records, record):
    record("one", 1)
    given = provlog("submit", records.url, "one", "--out", "missing/one.bundle")
    assert given.exit_code == 2
    assert given.stdout == f"{newest(records)['index']}  one\n"
    assert "missing/one.bundle cannot be written" in given.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["one", "a/one", "--out", "."], "two files are called 'one'"),
        (["one", "two", "--out", "nowhere"], "(mkdir nowhere)"),
        (["--lines", "one", "--out", "nowhere"], "nowhere is no folder"),
        (["one", "--out", ""], "it is empty"),
        (["one", "--lines", "one"], "give either FILE..., or --lines FILE"),
        ([], "give either FILE..., or --lines FILE"),
        (["-"], "for standard input: --lines -"),
    ],
    ids=["twice", "many", "lines", "nothing", "both", "neither", "dash"],
)
def test_what_cannot_be_meant_is_not_even_sent(records, record, words, says):
    record("one", 1)
    before = newest(records)
    given = provlog("submit", records.url, *words)
    assert given.exit_code == 2
    assert says in given.stderr
    assert newest(records) == before


# Statements


@pytest.fixture(scope="module")
def signing(tmp_path_factory):
    """Logs of records and of statements that know one producer."""
    with ExitStack() as stack:
        yield {
            kind: stack.enter_context(
                serving(
                    tmp_path_factory.mktemp(kind),
                    workers=0,
                    kind=kind,
                    settings=SETTINGS,
                    producers=[added()],
                )
            )
            for kind in ("record", "statement")
        }


@pytest.fixture
def stated(signing, tmp_path, monkeypatch):
    """Files of which nobody else has the like, and the log that they are for."""
    monkeypatch.chdir(tmp_path)

    def make(kind, **files):
        service = signing[kind]
        policy = service.live.folder / "policy.txt"
        monkeypatch.setenv("PROVLOG_POLICY", str(policy))
        for name, data in files.items():
            (tmp_path / name).write_bytes(data)
        return service

    return make


def test_records_and_statements_go_in_one_command_and_stay_in_order(stated):
    service = stated(
        "record",
        one=record_text(1),
        two=sign1(b"two"),
        three=envelope(b"three"),
        four=record_text(4),
        five=record_text(5),
    )
    names = ["one", "two", "three", "four", "five"]
    shown = done("submit", service.url, *names).splitlines()
    indexes = [int(line.split("  ")[0]) for line in shown]
    assert indexes == list(range(indexes[0], indexes[0] + 5))
    assert [line.split("  ")[1] for line in shown] == names
    again = done("submit", service.url, *reversed(names)).splitlines()
    assert again == [f"{line}  already logged" for line in reversed(shown)]


def test_a_statement_that_is_refused_does_not_stop_the_others(stated):
    service = stated(
        "record",
        six=record_text(6),
        stranger=sign1(maker=OTHER),
        seven=sign1(b"seven"),
        cut=sign1()[:-1],
        eight=record_text(8),
    )
    given = provlog("submit", service.url, "six", "stranger", "seven", "cut", "eight")
    assert given.exit_code == 1
    assert [line.split("  ")[1] for line in given.stdout.splitlines()] == [
        *("six", "seven", "eight")
    ]
    assert "stranger: refused: producer: " in given.stderr
    assert "cut: refused: form: it was not sent" in given.stderr


def test_in_a_statement_log_each_file_is_a_statement(stated):
    service = stated("statement", signed=sign1(b"alone"), run=record_text(1))
    given = provlog("submit", service.url, "signed", "run")
    assert given.exit_code == 1
    assert given.stdout.endswith("  signed\n")
    assert "run: refused: form: " in given.stderr
    given = provlog("submit", service.url, "--lines", "run")
    assert given.exit_code == 2
    assert "a statement may have LF in it" in given.stderr


def test_the_bundle_of_a_statement_says_who_has_signed_it(stated, tmp_path):
    service = stated("statement", signed=sign1(b"kept", unprotected={4: bytes(9_000)}))
    (tmp_path / "ci.pub").write_text(key_text(CI.public))
    done("submit", service.url, "signed", "--out", "signed.bundle")
    policy = service.live.folder / "policy.txt"
    words = ("verify", "--policy", policy, "--producer", "ci.pub")
    assert "producer    holds   signed by ci.pub" in done(*words, "signed.bundle")


def test_who_may_not_submit_is_told_so_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two"):
        (tmp_path / name).write_bytes(sign1(name.encode()))
    with serving(tmp_path, workers=0, kind="record", producers=[added()]) as service:
        monkeypatch.setenv("PROVLOG_TOKEN", token_of(service, "read"))
        policy = ("--policy", service.live.folder / "policy.txt")
        given = provlog("submit", service.url, "one", "two", *policy)
    assert (given.exit_code, given.stdout) == (1, "")
    assert given.stderr.count("answered 403") == 1
    assert "one: not logged" in given.stderr
    assert "two" not in given.stderr


# Who may, and who is believed


def test_a_token_comes_from_a_file_or_the_environment(closed, tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "token").write_text(f"{closed.token}\n")
    (tmp_path / "token").chmod(0o600)
    words = ("submit", closed.url, tmp_path / "file")
    options = ("--policy", closed.live.folder / "policy.txt")
    refused = provlog(*words, *options)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "this needs a token with the scope submit" in refused.stderr
    assert provlog(*words, *options, "--token-file", tmp_path / "token").exit_code == 0
    monkeypatch.setenv("PROVLOG_TOKEN", closed.token)
    assert provlog(*words, *options).exit_code == 0


def test_policy_and_token_may_come_through_pipes(closed, tmp_path):
    (tmp_path / "file").write_bytes(b"content")
    policy = closed.live.folder / "policy.txt"
    line = f"PROVLOG submit {closed.url} file --policy <(cat {policy})"
    ended = shell(f"{line} --token-file <(echo {closed.token})", tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_token_that_others_can_read_is_a_warning(closed, tmp_path):
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "token").write_text(f"{closed.token}\n")
    (tmp_path / "token").chmod(0o644)
    options = ("--policy", closed.live.folder / "policy.txt")
    given = provlog(
        *("submit", closed.url, tmp_path / "file", *options),
        *("--token-file", tmp_path / "token"),
    )
    assert given.exit_code == 0
    assert "warning: others can read the token" in given.stderr
    assert closed.token not in given.output


@pytest.mark.parametrize("text", ["", "two words", "b\xe4d"], ids=["no", "two", "bad"])
def test_what_is_no_token_is_not_sent(closed, tmp_path, text):
    (tmp_path / "token").write_text(text)
    given = provlog("list", closed.url, "--token-file", tmp_path / "token")
    assert given.exit_code == 2
    assert "has no token, which is one word in one line" in given.stderr


def test_nothing_is_said_of_a_receipt_that_does_not_hold(records, record, tmp_path):
    record("one", 1)
    (tmp_path / "policy").write_bytes(policy_text())
    given = provlog("submit", records.url, "one", "--policy", tmp_path / "policy")
    assert (given.exit_code, given.stdout) == (1, "")
    assert "its answer is not believed" in given.stderr
    assert "one: it is not known whether it is logged" in given.stderr


def test_whom_to_believe_has_to_be_said(records, record, monkeypatch):
    monkeypatch.delenv("PROVLOG_POLICY")
    given = provlog("submit", records.url, record("one", 1))
    assert given.exit_code == 2
    assert "give --policy FILE or set PROVLOG_POLICY" in given.stderr


def test_a_folder_is_for_another_command(records, record):
    given = provlog("submit", records.live.folder, record("one", 1))
    assert given.exit_code == 2
    assert "set PROVLOG_URL; for a folder: provlog append" in given.stderr


def test_who_is_not_there_cannot_be_given_anything(record):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    given = provlog("submit", f"http://127.0.0.1:{port}", record("one", 1))
    assert (given.exit_code, given.stdout) == (2, "")
    assert f"error: http://127.0.0.1:{port}: 127.0.0.1 port" in given.stderr
    assert "hint: start it where it is: provlog serve LOG" in given.stderr


def test_lines_that_cannot_be_opened_are_said_before_the_log_is_asked(record):
    given = provlog("submit", "http://127.0.0.1:1", "--lines", "absent")
    assert given.exit_code == 2
    assert given.stderr == "provlog: error: absent: No such file or directory\n"


def test_the_address_of_what_a_log_has_is_not_that_of_the_log(record):
    given = provlog("submit", "http://127.0.0.1:1/v1/records", record("one", 1))
    assert given.exit_code == 2
    assert "give http://127.0.0.1:1\n" in given.stderr


def test_a_token_that_is_no_good_is_said_to_be_the_one_that_was_given(
    records, record, monkeypatch
):
    monkeypatch.setenv("PROVLOG_TOKEN", "provlog_of-another-log")
    given = provlog("submit", records.url, record("one", 1))
    assert given.exit_code == 1
    assert "hint: the token that was given is no good here" in given.stderr
    assert "needs none: unset PROVLOG_TOKEN" in given.stderr
