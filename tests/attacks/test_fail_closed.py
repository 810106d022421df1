"""Whatever fails inside, the auditor is never told that something holds."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.auditor import Auditor
from tests.recordlog import ARTIFACT, true_bundle
from tests.testlog import policy_text
from verifier import __main__ as command
from verifier import bundle, claim, content, document, evidence, report
from verifier.receipt import tlog

TRUE = true_bundle().encode()


@pytest.fixture
def auditor(tmp_path, capsys):
    return Auditor(tmp_path, capsys)


STEPS = [
    (command, "_trust"),
    (command, "_read"),
    (command, "file_digest"),
    (evidence, "parse_evidence"),
    (evidence, "verify_evidence"),
    (evidence, "verify_claim"),
    (bundle, "parse_document"),
    (bundle, "parse_base64"),
    (document, "check_value"),
    (tlog, "parse_decimal"),
    (tlog, "parse_hash"),
    (claim, "verify_checkpoint"),
    (claim, "note_trust"),
    (claim, "leaf_hash"),
    (claim, "verify_inclusion"),
    (content, "parse_record"),
    (content, "verify_openings"),
    (content, "texts"),
    (content, "path_text"),
    (claim, "verify_consistency"),
    (claim, "time_text"),
    (claim, "_note_times"),
    (report, "Finding"),
]


def fail(*_args, **_kwargs):
    raise RuntimeError("a fault")


@pytest.mark.parametrize(
    ("module", "name"), STEPS, ids=[f"{m.__name__}.{n}" for m, n in STEPS]
)
def test_a_fault_in_any_step_is_neither_a_yes_nor_a_no(
    auditor, monkeypatch, module, name
):
    file = auditor.file("weights", ARTIFACT)
    monkeypatch.setattr(module, name, fail)
    assert auditor.verify(TRUE, "--json", "--artifact", file) == 2
    assert "a fault of this program: RuntimeError" in auditor.err
    assert auditor.document["error"].startswith("a fault of this program")
    assert auditor.document["holds"] is not True


@pytest.mark.parametrize("name", ["text", "json"])
def test_a_fault_in_writing_the_report_is_neither_a_yes_nor_a_no(
    auditor, monkeypatch, name
):
    monkeypatch.setattr(report.Report, name, fail)
    options = ["--json"] if name == "json" else []
    assert auditor.verify(TRUE, *options) == 2


@pytest.mark.parametrize("arguments", [["--entry"], ["--artifact"]])
def test_a_file_that_is_not_there_is_neither_a_yes_nor_a_no(auditor, arguments):
    missing = str(auditor.folder / "missing")
    assert auditor.verify(TRUE, "--json", *arguments, missing) == 2
    assert auditor.document["holds"] is not True


def test_a_policy_that_cannot_be_read_says_nothing_about_the_evidence(auditor):
    large = auditor.file("large", policy_text() + b"#" * (1 << 20) + b"\n")
    data = auditor.file("bundle", TRUE)
    assert auditor.run("verify", "--policy", large, data) == 2


def test_what_was_only_inspected_is_not_said_to_hold(auditor):
    assert auditor.run("inspect", "--json", auditor.file("b", TRUE)) == 0
    assert auditor.document["holds"] is not True


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "json"])
def test_a_report_that_nobody_got_is_neither_a_yes_nor_a_no(auditor, options):
    policy = auditor.file("policy", policy_text())
    arguments = ["--policy", policy, *options, auditor.file("bundle", TRUE)]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "verifier", "verify", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
