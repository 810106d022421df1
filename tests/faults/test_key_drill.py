"""A stolen key ends one log and no more: the drill of docs/operations.md, carried out.

The page's commands are given in their order, and between them the thief does what he
can. Afterwards nothing that he signed beyond the end is believed by whoever was told,
no witness cosigns for him, and what was logged before verifies without any server.
"""

import http.client
import re
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import pytest

from ledger.keys.keyfile import read_key_file
from ledger.witness.home import Home
from tests.house.shell import Shell, as_pattern, steps
from tests.reference.rfc6962 import Tree
from tests.stranger import verifies
from tests.testlog import TIME, Signer, checkpoint_text, note
from tests.witness.asked import request
from verifier import Policy, verify_checkpoint
from verifier.checkpoint import Checkpoint
from verifier.errors import FinalError, QuorumError, UntrustedError
from verifier.keys import KeyType
from verifier.note import Note
from verifier.trust import Limits

pytestmark = pytest.mark.exhaustive
PAGE = Path(__file__).resolve().parents[2] / "docs" / "operations.md"
ORIGIN = "log.example/five"
TRUE = [b"1", b"2", b"3", b"1", b"2", b"3", b"4"]
"""What the page logs, and all that was true."""
THIEFS = Tree([*TRUE, b"by the thief"])
FORGED = Tree([b"forged", *TRUE[1:]])


def sections(text):
    """The page's part on changing keys, and the drill that follows it."""
    change, drill = (
        text.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
        for heading in (
            "Changing keys where others are asked",
            "When a key may have been stolen",
        )
    )
    return [*steps(change), *steps(drill)]


def asks(port, body):
    """What the witness answers to whoever has the log's key."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        method, path = ("POST", "/add-checkpoint") if body else ("GET", _shown_at())
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _shown_at():
    return f"/{sha256(ORIGIN.encode()).hexdigest()}/checkpoint"


@pytest.fixture(scope="module")
def drill(tmp_path_factory):
    """The drill, once for all tests: what was said, shown and stolen on the way."""
    found = SimpleNamespace(wrong=[], asked={}, before=b"", thief=None)
    shell = Shell(tmp_path_factory.mktemp("drill"))
    desk = found.desk = shell.desk
    port = int(shell._ports["8431"])
    try:
        for step in sections(PAGE.read_text()):
            if step.line.startswith("seq 4"):
                found.smaller = (desk / "public5" / "checkpoint").read_bytes()
            if "freeze five" in step.line:
                # The last moment at which the thief's key is as good as the log's.
                found.thief = stolen(desk / "five" / "key")
                found.before = (desk / "public5" / "checkpoint").read_bytes()
            if step.line.startswith("for key in"):
                found.asked["bound"] = asks(port, by(found.thief, FORGED, 7, 7))
            if step.line.startswith("provlog restore six"):
                found.asked["dropped"] = asks(port, by(found.thief, THIEFS, 7, 8))
                found.asked["shown"] = asks(port, None)
            done = shell.give(step)
            fits = re.fullmatch(as_pattern(step.shown), done.said)
            if done.status or not fits:
                found.wrong.append((step.line, done))
    finally:
        shell.close()
    policy = (desk / "public5.policy").read_bytes()
    found.policy = Policy.parse(policy)
    final = Checkpoint.parse(Note.parse((desk / "final5").read_bytes()).text)
    found.final = final.size, final.root
    return found


def stolen(path):
    """The log's Ed25519 key, as a thief has it."""
    [key] = [each for each in read_key_file(path).keys if each.type is KeyType.ED25519]
    return Signer(ORIGIN, 0x01, key.seed)


def by(thief, tree, old, size):
    return request(old, size, tree=tree, origin=ORIGIN, by=thief)


def signed_by(drill, tree, size, *, cosigned=False):
    """The thief's checkpoint; also with the witness's own cosignature."""
    text = checkpoint_text(size, tree.mth(0, size), ORIGIN)
    lines = [drill.thief.line(text)]
    if cosigned:
        signing = Home(drill.desk / "w").signing()
        extra = signing.lines(Checkpoint.parse(text), time=TIME)
        written = Note(text, tuple(extra)).encode().decode()
        lines.append(written.removeprefix(f"{text}\n"))
    return note(text, *lines)


def test_every_command_of_it_runs_and_prints_what_is_shown(drill):
    assert not drill.wrong


def test_the_end_is_public_and_cosigned(drill):
    data = (drill.desk / "public5" / "checkpoint").read_bytes()
    seen = verify_checkpoint(data, drill.policy, Limits(final=drill.final))
    assert (seen.checkpoint.size, seen.checkpoint.root) == drill.final
    assert set(seen.cosigned) == {b"w"}
    assert drill.final == (7, Tree(TRUE).mth(0, 7))


def test_what_the_old_key_signs_beyond_the_end_is_refused_whoever_cosigned_it(drill):
    limits = Limits(final=drill.final)
    later = signed_by(drill, THIEFS, 8, cosigned=True)
    # Nothing else is wrong with it: who was not told goes on to believe the thief.
    assert verify_checkpoint(later, drill.policy)
    with pytest.raises(FinalError):
        verify_checkpoint(later, drill.policy, limits)
    with pytest.raises(FinalError):
        verify_checkpoint(later, drill.policy.without_witnesses(), limits)


def test_the_log_has_no_other_end(drill):
    another = signed_by(drill, FORGED, 7, cosigned=True)
    assert verify_checkpoint(another, drill.policy)
    with pytest.raises(FinalError):
        verify_checkpoint(another, drill.policy, Limits(final=drill.final))


def test_a_smaller_checkpoint_is_believed_if_the_witness_cosigned_it(drill):
    limits = Limits(final=drill.final)
    assert verify_checkpoint(drill.smaller, drill.policy, limits).checkpoint.size == 3
    with pytest.raises(QuorumError):
        verify_checkpoint(signed_by(drill, FORGED, 5), drill.policy, limits)
    # On the word of the key alone no smaller one is: the thief can make it today.
    alone = drill.policy.without_witnesses()
    with pytest.raises(FinalError):
        verify_checkpoint(signed_by(drill, Tree(TRUE), 5), alone, limits)


def test_the_witness_is_bound_by_the_end_and_cosigns_nothing_after_it(drill):
    assert drill.asked["bound"][0] == 422
    assert drill.asked["dropped"][0] == 404
    status, shown = drill.asked["shown"]
    assert (status, Checkpoint.parse(Note.parse(shown).text).size) == (200, 7)


def test_the_new_policy_believes_nothing_of_the_old_key(drill):
    new = Policy.parse((drill.desk / "six" / "policy.txt").read_bytes())
    public = (drill.desk / "public6" / "checkpoint").read_bytes()
    assert verify_checkpoint(public, new).checkpoint.origin == "log.example/six"
    for theirs in (drill.before, signed_by(drill, THIEFS, 8, cosigned=True)):
        with pytest.raises(UntrustedError):
            verify_checkpoint(theirs, new)
    with pytest.raises(UntrustedError):
        verify_checkpoint(public, drill.policy)


def test_the_new_log_shares_no_key_with_the_old_one(drill):
    new = read_key_file(drill.desk / "six" / "key")
    assert all(each.seed != drill.thief.seed for each in new.keys)


def test_the_archive_verifies_with_nothing_but_the_verifier(drill, tmp_path):
    root = drill.final[1].hex()
    files = {"policy": (drill.desk / "public5.policy").read_bytes()}
    words = ["audit", "--policy", "policy", "--final", f"7:{root}"]
    public = str(drill.desk / "public5")
    status, said = verifies(tmp_path / "stranger", files, *words, public)
    assert (status, "7 opaque entries" in said) == (0, True)
    spoiled = drill.desk / "public5" / "tile" / "entries" / "000.p" / "7"
    before = spoiled.read_bytes()
    spoiled.write_bytes(before[:-1] + b"5")
    status, _ = verifies(tmp_path / "stranger", files, *words, public)
    spoiled.write_bytes(before)
    assert status == 1
