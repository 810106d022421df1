"""The reading copy stands alone, says what it has not looked at, and never guesses.

That it agrees with the verifier is in test_standalone_vectors and _mutants.
"""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from tests.house.shell import as_pattern
from tests.recordlog import record, true_bundle, wrapped
from tests.testlog import LOG, policy_text, signer
from tests.twin import ALONE, HOLDS, agree, ours, remembering, single
from verifier import standalone
from verifier.record import encode_record

ROOT = Path(__file__).resolve().parents[2]
COPY = ROOT / "verifier" / "standalone.py"
SAMPLE = ROOT / "docs" / "sample"
TRUE = true_bundle().encode()


class Reader:
    """Somebody at a command line, with the files that they have."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys
        self.out = ""

    def file(self, name: str, data: bytes) -> str:
        (self.folder / name).write_bytes(data)
        return str(self.folder / name)

    def run(self, *words: str) -> int:
        with remembering():
            status = standalone.main([*words])
        self.out, errors = self.capsys.readouterr()
        assert not errors
        return status

    def verify(
        self, evidence: bytes, *options: str, policy: bytes = policy_text()
    ) -> int:
        trusted = self.file("policy", policy)
        return self.run("--policy", trusted, *options, self.file("evidence", evidence))

    @property
    def last(self) -> str:
        return self.out.splitlines()[-1]


@pytest.fixture
def reader(tmp_path, capsys):
    return Reader(tmp_path, capsys)


# Alone


def test_it_asks_for_the_standard_library_and_nothing_else(tmp_path):
    # A bare machine: no site packages, no folder of ours, nothing in the environment.
    shutil.copy(COPY, tmp_path / "standalone.py")
    for name in ("policy.txt", "record.bundle"):
        shutil.copy(SAMPLE / name, tmp_path)
    words = ["-I", "-S", "-X", "importtime", "standalone.py"]
    done = subprocess.run(
        [sys.executable, *words, "--policy", "policy.txt", "record.bundle"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "before      holds   the tree had size 250 before" in done.stdout
    loaded = re.findall(r"^import time:.*\| +([\w.]+)$", done.stderr, re.MULTILINE)
    assert {"hashlib", "json"} <= {*loaded}
    assert {each.split(".")[0] for each in loaded} <= sys.stdlib_module_names


def test_no_line_of_it_imports_anything_else():
    named = set()
    for node in ast.walk(ast.parse(COPY.read_text())):
        if isinstance(node, ast.Import):
            named |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            named.add(f"{'.' * node.level}{node.module}")
    assert named <= sys.stdlib_module_names


def test_an_older_python_can_read_it_as_far_as_to_say_that_it_is_too_old():
    # Or whoever has one would be told by a traceback that the evidence does not hold.
    ast.parse(COPY.read_text(), feature_version=(3, 8))
    begin = "import runpy, sys; sys.version_info = (3, 10, 4); "
    done = subprocess.run(
        [sys.executable, "-c", f"{begin}runpy.run_path({str(COPY)!r})"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (2, "this needs Python 3.11 or newer\n")


# What it says


def test_a_true_bundle_holds_and_each_link_has_its_line(reader):
    assert reader.verify(TRUE) == 0
    lines = [line[:19].split() for line in reader.out.splitlines()]
    assert lines == [
        *(["log", "holds"], ["quorum", "holds"], ["inclusion", "holds"]),
        *(["entry"], ["entry"], ["record"], ["opening", "holds"], ["closed"]),
        *(["log", "holds"], ["quorum", "holds"], ["before", "holds"]),
    ]
    assert "w1 at 2026-09-21 14:15:00+00:00, w2 at" in reader.out


def test_a_tlog_proof_holds_for_its_entry_and_no_other(reader):
    true = true_bundle()
    receipt, entry = true.receipt.encode(), reader.file("entry", true.entry)
    assert reader.verify(receipt, "--entry", entry) == 0
    assert reader.verify(receipt, "--entry", reader.file("other", b"other")) == 1
    assert reader.last.startswith("inclusion   BROKEN ")


def test_a_bundle_has_to_be_of_the_entry_that_is_given(reader):
    entry = reader.file("entry", true_bundle().entry)
    assert reader.verify(TRUE, "--entry", entry) == 0
    assert reader.verify(TRUE, "--entry", reader.file("other", b"")) == 1
    assert reader.last == "entry       BROKEN  it is another one"


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("auto", "if this is a record log, it wrote: by s-1 at "),
        ("record", "the log wrote: by s-1 at "),
        ("opaque", f"{len(true_bundle().entry)} bytes, sha256:"),
    ],
)
def test_entries_are_read_as_the_reader_says(reader, kind, says):
    bare = json.loads(TRUE)
    del bare["openings"]
    assert reader.verify(json.dumps(bare).encode(), "--entries", kind) == 0
    assert f"entry               {says}" in reader.out


def test_what_is_no_entry_of_a_record_log_is_not_read_as_one(reader):
    evidence = single(b"anything")
    assert reader.verify(evidence, "--entries", "record", policy=ALONE) == 1
    assert reader.last.startswith("entry       BROKEN  no record log's: ")
    assert reader.verify(evidence, policy=ALONE) == 0


def test_a_policy_that_asks_nobody_is_told_from_one_that_does(reader):
    assert reader.verify(single(b"anything"), policy=ALONE) == 0
    assert "quorum              the policy asks nobody" in reader.out


def test_a_time_beyond_the_calendar_is_its_end_and_none_is_none(reader):
    log, witness = LOG, signer("w", 0x04)
    for time, says in ((2**63 - 1, " at 9999-12-31 23:59:59+00:00"), (0, " ")):
        text = f"{log.name}\n1\n{single_root(b'e')}\n"
        lines = f"{text}\n{log.line(text)}{witness.line(text, time)}"
        proof = f"c2sp.org/tlog-proof@v1\nindex 0\n\n{lines}".encode()
        policy = policy_text([log], [witness], 1)
        entry = reader.file("entry", b"e")
        assert reader.verify(proof, "--entry", entry, policy=policy) == 0
        assert f"cosigned by w1{says}\n" in reader.out
        assert agree(policy, proof, b"e") == HOLDS


def single_root(entry: bytes) -> str:
    bundle = json.loads(single(entry))
    receipt = standalone.unbase64(bundle["receipt"]).decode()
    return receipt.split("\n")[5]


HOSTILE = "\x1b[2J\r\n\x00\x9b\u202e\u200b\U000e0041 \\ 'a' \"b\"\nquorum holds"


def test_no_text_of_a_stranger_moves_a_terminal(reader):
    opened = {"path": [HOSTILE], "salt": "A" * 42 + "A=", "value": HOSTILE}
    committed = standalone.encode(
        ["provlog/commitment/1", bytes(32), record(1)["id"], [HOSTILE], HOSTILE], 16
    )
    listed = [{"path": [HOSTILE], "digest": digest(committed)}]
    body = encode_record({"id": record(1)["id"], "commitments": listed})
    assert reader.verify(single(wrapped(body, 1), [opened]), policy=ALONE) == 0
    assert reader.out.isascii()
    assert all(line.isprintable() for line in reader.out.splitlines())
    assert sum(line.startswith("quorum") for line in reader.out.splitlines()) == 1


def digest(data: bytes) -> str:
    return f"sha256:{sha256(data).hexdigest()}"


# What could not be carried out


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["evidence"],
        ["--policy", "policy"],
        ["evidence", "--policy", "policy"],
        ["--policy", "policy", "--policy", "policy", "evidence"],
        ["--policy", "policy", "--trust", "evidence", "evidence"],
        ["--policy", "policy", "--entries", "records", "evidence"],
        ["--policy=policy", "evidence"],
        ["--policy", "policy", "--help"],
    ],
    ids=" ".join,
)
def test_words_that_are_not_understood_are_no_question(reader, monkeypatch, words):
    monkeypatch.chdir(reader.folder)
    reader.file("policy", policy_text())
    reader.file("evidence", TRUE)
    assert reader.run(*words) == 2
    assert reader.last.startswith("undecided ")


def test_a_file_whose_name_is_an_option_is_a_file(reader, monkeypatch):
    monkeypatch.chdir(reader.folder)
    policy = reader.file("policy", policy_text())
    reader.file("--entries", TRUE)
    assert reader.run("--policy", policy, "--entries") == 0


@pytest.mark.parametrize("missing", ["--policy", "--entry", "evidence"])
def test_a_file_that_is_not_there_says_nothing_about_the_evidence(reader, missing):
    files = {
        "--policy": reader.file("policy", policy_text()),
        "--entry": reader.file("entry", true_bundle().entry),
        "evidence": reader.file("evidence", TRUE),
    } | {missing: str(reader.folder / "missing")}
    evidence = files.pop("evidence")
    words = [word for pair in files.items() for word in pair]
    assert reader.run(*words, evidence) == 2
    assert "undecided           FileNotFoundError: " in reader.last


def test_a_receipt_without_its_entry_says_nothing(reader):
    assert reader.verify(true_bundle().receipt.encode()) == 2
    assert reader.last == "undecided           it has no entry; say --entry"


@pytest.mark.parametrize("policy", [b"", b"quorum\n", b"#" * (1 << 20) + b"\n"])
def test_a_policy_that_cannot_be_read_says_nothing_about_the_evidence(reader, policy):
    assert reader.verify(TRUE, policy=policy) == 2
    assert reader.last.startswith("undecided ")


@pytest.mark.parametrize(
    "evidence", [b"\xd2\x84\x43\xa1\x01\x32\xa0\xf6\x41\x00", b"\xd2\x84"]
)
def test_a_cose_receipt_is_left_to_the_verifier(reader, evidence):
    assert reader.verify(evidence) == 2
    assert reader.last == "undecided           COSE receipts are not checked here"


STEPS = [
    *("require", "match", "decimal", "unbase64", "multiply", "decode_point"),
    *("signed_by", "key_id", "parse_key", "decode", "encode", "places", "parse_json"),
    *("members", "parse_path", "parse_record", "parse_evidence", "parse_note"),
    *("roots_of", "read"),
]


@pytest.mark.parametrize("name", STEPS)
def test_a_fault_in_any_step_is_neither_a_yes_nor_a_no(reader, monkeypatch, name):
    def fail(*_, **__):
        raise ZeroDivisionError("a fault")

    policy, evidence = reader.file("policy", policy_text()), reader.file("e", TRUE)
    monkeypatch.setattr(standalone, name, fail)
    assert standalone.main(["--policy", policy, evidence]) == 2
    said = reader.capsys.readouterr().out.splitlines()[-1]
    assert said == "undecided           ZeroDivisionError: a fault"


def run_file(folder: Path, *words: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(COPY), *words],
        cwd=folder,
        text=True,
        stderr=subprocess.PIPE,
        check=False,
        **options,
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_report_that_nobody_got_is_neither_a_yes_nor_a_no(reader):
    words = ["--policy", reader.file("policy", policy_text())]
    with open("/dev/full", "wb") as full:
        done = run_file(reader.folder, *words, reader.file("e", TRUE), stdout=full)
    assert (done.returncode, done.stderr) == (2, "")


@pytest.mark.exhaustive
def test_nor_is_one_that_had_nowhere_to_go(reader):
    words = ["--policy", reader.file("policy", policy_text()), reader.file("e", TRUE)]
    line = f'exec "{sys.executable}" "{COPY}" "$@" >&-'
    done = subprocess.run(["sh", "-c", line, "sh", *words], check=False)
    assert done.returncode == 2


# Large and deep


@pytest.mark.exhaustive
def test_a_policy_may_be_a_chain_of_a_thousand_groups(reader):
    chain = [f"group g{n} any {f'g{n - 1}' if n else 'w1'}" for n in range(1_017)]
    policy = policy_text(quorum=0).replace(
        b"quorum none\n", "\n".join([*chain, "quorum g1016\n"]).encode()
    )
    assert policy.count(b"\n") <= 1_024
    words = ["--policy", reader.file("policy", policy), reader.file("e", TRUE)]
    done = run_file(reader.folder, *words, stdout=subprocess.PIPE)
    assert done.returncode == 0, done.stdout
    assert ours(policy, TRUE) == HOLDS


DEEP = {
    "lists": b'{"a":' + b"[" * 700_000,
    "objects": b'{"a":' * 300_000,
    "lists that end": b'{"a":' + b"[" * 700_000 + b"]" * 700_000 + b"}",
    "digits": b'{"a":' + b"9" * 1_500_000 + b"}",
    "a fraction": b'{"a":0.' + b"9" * 1_500_000 + b"}",
    "an exponent": b'{"a":1e' + b"9" * 1_500_000 + b"}",
    "many values": b'{"a":[' + b"0," * 700_000 + b"0]}",
    "many objects": b'{"a":[' + b"{}," * 500_000 + b"0]}",
    "one text": b'{"a":"' + b"\\u0041" * 250_000 + b'"}',
    "one member": b'{"a":0' + b',"a":0' * 250_000 + b"}",
    "deep and wide": b'{"a":' + b"[" * 900 + b"0," * 700_000,
    "empty lines": b"c2sp.org/tlog-proof@v1\nindex 0\n" + b"\n" * 600_000,
    "long lines": b"c2sp.org/tlog-proof@v1\nindex 0" + b"\n" + b"A" * 600_000 + b"\n\n",
    "a long extra": b"c2sp.org/tlog-proof@v1\nextra "
    + b"A" * 600_000
    + b"\nindex 0\n\n",
}


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", DEEP)
def test_what_is_made_to_keep_a_reader_busy_is_refused(reader, name):
    assert reader.verify(DEEP[name], "--entry", reader.file("entry", b"")) == 1
    assert reader.last.startswith("form        BROKEN ")


@pytest.mark.parametrize(
    "unit", [b"\x81", b"\xa1\x61a", b"\x9b" + b"\xff" * 8, b"\x5a"]
)
def test_nor_does_an_entry_keep_it_busy(reader, unit):
    entry = unit * (65_000 // len(unit))
    evidence = single(entry)
    assert reader.verify(evidence, "--entries", "record", policy=ALONE) == 1
    assert reader.last.startswith("entry       BROKEN ")
    assert agree(ALONE, evidence, kind="record") == "entry"


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no /dev/zero here")
def test_a_file_without_end_is_read_as_far_as_one_may_go(reader):
    policy, evidence = reader.file("policy", policy_text()), reader.file("e", TRUE)
    assert reader.run("--policy", "/dev/zero", evidence) == 2
    assert reader.run("--policy", policy, "/dev/zero") == 1
    assert reader.last.startswith("form        BROKEN  /dev/zero has more than 1572864")
    assert reader.run("--policy", policy, "--entry", "/dev/zero", evidence) == 1
    assert reader.last.startswith("form        BROKEN  /dev/zero has more than 65535")


# The page about it


def commands() -> list[tuple[str, list[str]]]:
    """What docs/auditing.md shows of the copy: each command, and what it prints."""
    page = (ROOT / "docs" / "auditing.md").read_text()
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"^```\n(.*?)^```$", page, re.DOTALL | re.MULTILINE):
        first, *shown = block.splitlines()
        if first.startswith("$ python") and "standalone.py" in first:
            found.append((first[2:], shown))
    return found


def test_what_the_page_shows_is_what_happens():
    assert commands()
    for command, shown in commands():
        python, *words = command.split()
        assert python == "python"
        done = subprocess.run(
            [sys.executable, *words],
            cwd=ROOT,
            env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert re.fullmatch(as_pattern(shown), done.stdout), done.stdout
        assert done.returncode == 0
