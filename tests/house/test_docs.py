"""The documents are true: their commands, worked examples, words and limits."""

import ast
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from hashlib import sha256
from pathlib import Path

import cbor2
import pytest

from tests import receiptline
from tests.house.shell import as_pattern
from tests.reference.rfc6962 import Tree
from tests.testlog import Signer, checkpoint_text, note, receipt_text
from verifier import (
    Policy,
    Receipt,
    Report,
    VerifierKey,
    bundle,
    cbor,
    document,
    entry,
    errors,
    policy,
    receipt,
    tile,
)
from verifier import note as notes
from verifier.claim import Claim, verify_claim
from verifier.commitment import commitment
from verifier.cosignature import ed25519_message, ml_dsa_message
from verifier.damage import UNAVAILABLE
from verifier.entry import Entry
from verifier.receipt import line as cose
from verifier.receipt.cose import CoseReceipt, verify_receipt
from verifier.record import MAX_PATH, MEDIA_TYPE, encode_record, parse_record_json
from verifier.spelling import base64_text, digest_text
from verifier.trust import Limits

ROOT = Path(__file__).resolve().parents[2]
FORMAT = ROOT / "docs" / "format.md"
AUDITING = ROOT / "docs" / "auditing.md"
PAGES = [path for path in (AUDITING, ROOT / "verifier" / "README.md") if path.exists()]

# The case that format.md works through.
LOG = Signer("log.example/doc", 0x01, b"\x01" * 32)
WITNESS = Signer("witness.example/w1", 0x04, b"\x02" * 32)
TIME = 1_790_000_000
ENTRIES = [b"", b"a", b"b"]
TREE = Tree(ENTRIES)
TEXT = checkpoint_text(3, TREE.mth(0, 3), LOG.name)
NOTE = note(TEXT, LOG.line(TEXT), WITNESS.line(TEXT, TIME))
SEVEN = Tree([bytes([number]) for number in range(7)])
RECORD_ID = "01980000-0000-7000-8000-000000000001"


def example(name: str) -> str:
    """The worked example called `name`."""
    found: list[str] = re.findall(
        rf"^```example {name}\n(.*?)\n```$",
        FORMAT.read_text(),
        re.DOTALL | re.MULTILINE,
    )
    assert len(found) == 1, name
    return found[0]


def parts(name: str) -> list[str]:
    """The parts of an example between empty lines, each without its line breaks."""
    return ["".join(part.split("\n")) for part in example(name).split("\n\n")]


def commands(page: Path) -> list[tuple[str, list[str]]]:
    """Our commands in the blocks of `page`, in order, each with the output shown."""
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(
        r"^```\w*\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE
    ):
        shown: list[str] = []
        for line in block.splitlines():
            if line.startswith("$ "):
                shown = []
                if line.startswith(("$ python -m verifier ", "$ provlog ")):
                    found.append((line[2:], shown))
            else:
                shown.append(line)
    return found


def run(command: str, folder: Path, *more: str) -> tuple[int, list[str]]:
    words = shlex.split(command)
    ours = ["-c", "from cli.main import main; main(prog_name='provlog')"]
    arguments = words[1:] if words[0] == "python" else [*ours, *words[1:]]
    done = subprocess.run(
        [sys.executable, *arguments, *more],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    return done.returncode, done.stdout.splitlines()


def sample(folder: Path) -> Path:
    shutil.copytree(ROOT / "docs" / "sample", folder / "docs" / "sample")
    return folder


def rows(page: Path, heading: str) -> list[str]:
    """The first words, in code, of the table under the header row `heading`."""
    table = page.read_text().split(f"\n| {heading} |", 1)[1].split("\n\n", 1)[0]
    return re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)


def calls(module: Path) -> list[ast.Call]:
    tree = ast.parse(module.read_text())
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def words_in(*nodes: ast.AST) -> set[str]:
    """Those of `nodes` that are plain text."""
    constants = [each.value for each in nodes if isinstance(each, ast.Constant)]
    return {each for each in constants if isinstance(each, str)}


def damage_words() -> set[str]:
    """The checks that an audit finds broken, as its modules spell them."""
    found = {UNAVAILABLE}
    for module in (ROOT / "verifier").glob("*.py"):
        for node in ast.walk(ast.parse(module.read_text())):
            match node:
                case ast.Call(func=ast.Name("Damage"), keywords=named):
                    given = [each.value for each in named if each.arg == "check"]
                    found |= words_in(*given)
                case ast.Subscript(
                    value=ast.Name("found"), slice=ast.Tuple([word, *_])
                ):
                    found |= words_in(word)
    return found


# Commands


@pytest.mark.exhaustive
@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_runs_and_prints_what_is_shown(page, tmp_path):
    folder = sample(tmp_path)
    assert commands(page)
    for command, shown in commands(page):
        status, printed = run(command, folder)
        text = "".join(f"{line}\n" for line in printed)
        if shown:
            assert re.fullmatch(as_pattern(shown), text), text
        refused = any(line[12:].startswith("BROKEN") for line in shown)
        assert status == (1 if refused else 0), text


def test_the_comparison_of_output_can_fail():
    assert re.fullmatch(as_pattern(["a…c", "…", "z"]), "abc\n\ny\nz\n")
    assert not re.fullmatch(as_pattern(["a…c", "z"]), "abc\ny\nz\n")


def test_json_says_that_nothing_was_decided_where_nothing_was(tmp_path):
    folder = sample(tmp_path)
    for command, expected in [
        ("verify --policy docs/sample/policy.txt not-there", 2),
        ("inspect docs/sample/policy.txt", 0),
    ]:
        done = subprocess.run(
            [sys.executable, "-m", "verifier", *command.split(), "--json"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            check=False,
        )
        assert done.returncode == expected
        assert json.loads(done.stdout)["holds"] is None


# Worked examples

SUBTREES = [(0, 1), (0, 3), (0, 4), (0, 6), (0, 7), (4, 6), (4, 7), (6, 7)]
SHOWN = {
    "tree": lambda: "\n".join(
        [
            *(f"leaf {n}  {TREE.mth(n, n + 1).hex()}" for n in range(3)),
            f"node    {TREE.mth(0, 2).hex()}",
            f"root    {TREE.mth(0, 3).hex()}",
        ]
    ),
    "inclusion": lambda: "\n".join(each.hex() for each in TREE.path(1, 3)),
    "subtrees": lambda: "\n".join(
        [f"root    {SEVEN.mth(0, 7).hex()}", *map(subtree_line, SUBTREES)]
    ),
    "keys": lambda: f"{LOG.vkey}\n{WITNESS.vkey}",
    "note": lambda: NOTE.decode().rstrip("\n"),
    "entry-tile": lambda: tile.encode_entries(ENTRIES).hex(),
    "receipt": lambda: receipt_text(1, TREE.path(1, 3), NOTE).decode().rstrip("\n"),
    "statement": lambda: in_lines(statement()),
    "cose-receipt": lambda: f"{in_lines(line_blob())}\n\n{in_lines(cose_receipt())}",
}


def in_lines(data: bytes) -> str:
    return "\n".join(textwrap.wrap(data.hex(), 64))


def statement() -> bytes:
    """The statement of section 17.1, by another encoder than ours."""
    protected = cbor2.dumps({1: -19, 3: "text/plain"})
    message = cbor2.dumps(["Signature1", protected, b"", b"hello"])
    key = Signer("producer", 0x01, b"\x03" * 32)
    members = [protected, {}, b"hello", key.sign(message)]
    return cbor2.dumps(cbor2.CBORTag(18, members))


def line_blob() -> bytes:
    return receiptline.blob(LOG, "opaque", TREE.mth(0, 3))


def cose_receipt() -> bytes:
    proof = cbor2.dumps([3, 1, TREE.path(1, 3)])
    protected = receiptline.protected(LOG, "opaque")
    members = [protected, {396: {-1: [proof]}}, None, line_blob()[4:]]
    return cbor2.dumps(cbor2.CBORTag(18, members))


def subtree_line(subtree: tuple[int, int]) -> str:
    start, end = subtree
    proof = " ".join(each.hex()[:8] for each in SEVEN.subproof(start, end, 7))
    return f"[{start}, {end})  {SEVEN.mth(start, end).hex()[:8]}  to 7: {proof or '-'}"


@pytest.mark.parametrize("name", SHOWN)
def test_a_worked_example_is_what_the_reference_makes(name):
    assert example(name) == SHOWN[name]()


def test_the_receipt_that_is_shown_verifies_under_the_keys_that_are_shown():
    log, witness = map(VerifierKey.parse, example("keys").split("\n"))
    text = f"log {log.text()}\nwitness w {witness.text()}\nquorum w\n"
    shown = Receipt.parse(example("receipt").encode() + b"\n")
    claim = Claim(entry=ENTRIES[1], receipt=shown)
    report = Report()
    verify_claim(claim, Policy.parse(text.encode()), Limits(), report)
    assert {"log", "quorum", "inclusion"} <= {
        each.check for each in report.findings if each.holds
    }


def test_the_cose_receipt_is_made_of_the_line_and_verifies():
    blob = bytes.fromhex("".join(example("cose-receipt").split("\n\n")[0].split()))
    line = f"\u2014 {LOG.name} {base64_text(blob)}\n"
    shown = Receipt.parse(example("receipt").encode() + b"\n" + line.encode())
    log = VerifierKey.parse(example("keys").split("\n")[0])
    made = cose.cose_receipt(shown, [log])
    assert made == cose_receipt()
    verify_receipt(CoseReceipt.parse(made), ENTRIES[1], [log.public_key])


def test_the_messages_of_cosigners_are_what_is_shown():
    [shown] = parts("cosignature-ed25519")
    assert ed25519_message(TIME, TEXT).hex() == shown
    [shown] = parts("cosignature-ml-dsa")
    message = ml_dsa_message(
        cosigner="witness.example/w2",
        time=TIME,
        origin=LOG.name,
        start=0,
        end=3,
        node=TREE.mth(0, 3),
    )
    assert message.hex() == shown


def test_the_record_and_the_entry_are_what_is_shown():
    as_json, as_cbor = parts("record")
    body = encode_record(parse_record_json(as_json.encode()))
    assert body.hex() == as_cbor
    shown, leaf = parts("entry")
    wrapped = Entry(at=TIME * 1000, by="p-1", type=MEDIA_TYPE, body=body)
    assert wrapped.encode().hex() == shown
    assert sha256(b"\x00" + bytes.fromhex(shown)).hexdigest() == leaf


def test_the_commitment_is_what_is_shown():
    hashed, digest = parts("commitment")
    path, salt = ("prompt", "text"), bytes(range(32))
    members = ["provlog/commitment/1", salt, RECORD_ID, [*path], "hello"]
    assert cbor.encode(members).hex() == hashed
    made = commitment(salt=salt, record_id=RECORD_ID, path=path, value="hello")
    assert (
        digest_text(made)
        == digest
        == f"sha256:{sha256(bytes.fromhex(hashed)).hexdigest()}"
    )


def test_every_worked_example_is_looked_at_here():
    names = re.findall(r"^```example (\S+)$", FORMAT.read_text(), re.MULTILINE)
    elsewhere = ["cosignature-ed25519", "cosignature-ml-dsa", "record", "entry"]
    assert sorted(names) == sorted([*SHOWN, *elsewhere, "commitment"])


# Words and limits


def test_every_check_has_its_row_and_every_row_its_check():
    words = {
        each.check
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, errors.VerificationError)
    }
    words |= damage_words()
    assert {"tile", "missing", "root", "time", "entry", "form"} <= words
    documented = rows(FORMAT, "check")
    assert sorted(documented) == sorted(words)


def test_every_line_of_a_report_is_explained():
    reported = set()
    for module in (ROOT / "verifier").rglob("*.py"):
        # The lines of those that explain verify nothing.
        if not module.name.startswith("explain"):
            reported |= {
                call.args[0].value
                for call in calls(module)
                if ast.unparse(call.func) in ("report.holds", "report.notes")
                and isinstance(call.args[0], ast.Constant)
            }
    assert sorted(rows(AUDITING, "line")) == sorted(reported)


def test_the_limits_are_the_codes():
    table = FORMAT.read_text().split("## 16. Limits")[1]
    limits = dict(re.findall(r"^\| (.*?) \| (.*?) \|$", table, re.MULTILINE))
    numbers = {
        what: [int(each.replace(",", "")) for each in re.findall(r"[\d,]*\d", text)]
        for what, text in limits.items()
    }
    assert numbers["entry"] == [tile.MAX_ENTRY_BYTES]
    assert numbers["body of an entry"] == [entry.MAX_BODY_BYTES]
    assert numbers["CBOR"] == [cbor.MAX_BYTES, cbor.MAX_DEPTH, cbor.MAX_ITEMS]
    assert numbers["JSON"] == [document.MAX_DEPTH, document.MAX_VALUES]
    assert numbers["record as JSON"] == [2 * entry.MAX_BODY_BYTES]
    assert numbers["note"] == [notes.MAX_BYTES, notes.MAX_SIGNATURES]
    assert numbers["tlog-proof"] == [receipt.MAX_BYTES, receipt.MAX_HASHES]
    assert numbers["consistency proof in a file"] == [receipt.MAX_HASHES + 1]
    assert numbers["openings in a bundle"] == [bundle.MAX_OPENINGS]
    assert numbers["steps of a path"] == [MAX_PATH]
    assert numbers["policy"] == [policy.MAX_BYTES, policy.MAX_LINES]
    assert numbers["tile level"] == [tile.MAX_LEVEL]
    assert numbers["entry tile"] == [tile.MAX_ENTRY_TILE_BYTES]
    assert numbers["bundle, proof of misbehaviour, monitor's state"] == [
        bundle.MAX_BYTES
    ]


def test_links_lead_somewhere():
    for page in (*PAGES, FORMAT):
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            path, _, anchor = target.partition("#")
            if "://" in target:
                continue
            there = page.parent / path if path else page
            assert there.exists(), target
            if anchor:
                assert anchor in anchors(there), target


def anchors(page: Path) -> set[str]:
    """The anchors that a page's headings get."""
    heads = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}
