"""A checkpoint is an origin, a size and a root, in one spelling, and nothing beside."""

import json

import pytest

from tests.foreign import folder
from tests.testlog import ORIGIN, b64, checkpoint_text
from verifier.checkpoint import Checkpoint
from verifier.errors import MalformedError
from verifier.keys import VerifierKey
from verifier.note import Note, verify_note

ROOT = bytes(range(32))
TEXT = checkpoint_text(7, ROOT)


def refuse(text: str, word: str, *, extensions: bool = False) -> None:
    with pytest.raises(MalformedError, match=word):
        Checkpoint.parse(text, extensions=extensions)


def foreign():
    file = folder("transparency-dev-formats") / "checkpoint_body_cases.json"
    return json.loads(file.read_text())


def test_a_checkpoint_is_read_and_written_again():
    checkpoint = Checkpoint.parse(TEXT)
    assert checkpoint == Checkpoint(origin=ORIGIN, size=7, root=ROOT)
    assert checkpoint.text() == TEXT


@pytest.mark.parametrize("size", [0, 1, 2**53 + 1, 2**63 - 1])
def test_a_size_is_a_number_below_2_to_the_63(size):
    assert Checkpoint.parse(checkpoint_text(size, ROOT)).size == size


SIZES = ["", "07", "00", "+7", "-0", "-7", " 7", "7 ", "7_0", "7.0", "7e1", "0x7"]
SIZES += ["\u0667", "\uff17", "\u00b2", str(2**63), "1" * 5_000]


@pytest.mark.parametrize("size", SIZES)
def test_a_size_has_one_spelling(size):
    refuse(f"{ORIGIN}\n{size}\n{b64(ROOT)}\n", "size is not a decimal")


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_root_has_32_bytes(length):
    refuse(f"{ORIGIN}\n7\n{b64(bytes(length))}\n", f"root is {length} bytes")


@pytest.mark.parametrize(
    "root",
    [
        b64(ROOT)[:-1],  # no padding
        b64(ROOT)[:-2] + "9=",  # bits that are thrown away
        b64(b"\xfb" * 32).replace("+", "-"),  # the alphabet for URLs
        b64(ROOT) + " ",
        " " + b64(ROOT),
        ROOT.hex(),
        "\u0661" + b64(ROOT)[1:],
    ],
)
def test_a_root_has_one_spelling(root):
    refuse(f"{ORIGIN}\n7\n{root}\n", "root")


@pytest.mark.parametrize("origin", ["", "\n"])
def test_an_origin_is_not_empty(origin):
    refuse(TEXT.replace(ORIGIN, origin), "three lines|size")


@pytest.mark.parametrize("origin", [" ", "go.sum database tree", "a+b", "ä\u2028\x85b"])
def test_an_origin_is_any_line(origin):
    text = TEXT.replace(ORIGIN, origin)
    assert Checkpoint.parse(text).origin == origin
    assert Checkpoint.parse(text).text() == text


@pytest.mark.parametrize("text", ["", "\n", TEXT[:-1], f"{ORIGIN}\n7\n", f"{ORIGIN}\n"])
def test_a_checkpoint_has_three_lines_and_each_ends_in_a_newline(text):
    refuse(text, "three lines")


@pytest.mark.parametrize("lines", [["a"], ["a", "b"], [" "], ["7", b64(ROOT)]])
def test_extension_lines_are_refused_unless_they_are_asked_for(lines):
    text = TEXT + "".join(f"{line}\n" for line in lines)
    refuse(text, "not asked for")
    checkpoint = Checkpoint.parse(text, extensions=True)
    assert checkpoint.extensions == tuple(lines)
    assert checkpoint.text() == text


@pytest.mark.parametrize("end", ["\n", "\n\n", "a\n\n", "\na\n"])
def test_an_empty_extension_line_is_always_refused(end):
    refuse(TEXT + end, "extension line")
    refuse(TEXT + end, "empty extension line", extensions=True)


def test_an_extension_line_ends_in_a_newline():
    refuse(TEXT + "a", "three lines", extensions=True)


# --- foreign judges ---


def with_a_whole_root(body: str) -> str:
    """The same body with a root of 32 bytes; upstream takes roots of any length."""
    origin, size, _, *rest = body.split("\n")
    return "\n".join([origin, size, b64(ROOT), *rest])


def test_the_bodies_that_go_refuses_are_refused():
    bodies = [case["body"] for case in foreign()["cases"] if case["upstream_error"]]
    assert len(bodies) == 7
    for body in bodies:
        refuse(body, ".", extensions=True)


def test_the_bodies_that_go_reads_are_refused_for_the_length_of_their_root_only():
    cases = [case for case in foreign()["cases"] if not case["upstream_error"]]
    for case in cases:
        rest = case.get("rest", "")
        text = with_a_whole_root(case["body"])
        if "\n\n" in f"\n{rest}":
            # The specification wants extension lines that are not empty.
            refuse(text, "empty extension line", extensions=True)
            continue
        refuse(case["body"], r"root is \d+ bytes", extensions=True)
        checkpoint = Checkpoint.parse(text, extensions=True)
        assert (checkpoint.origin, checkpoint.size) == (case["origin"], case["size"])
        assert "".join(f"{line}\n" for line in checkpoint.extensions) == rest
    assert len(cases) == 5


def test_the_checkpoints_of_real_logs_verify_unless_they_are_of_static_ct():
    held = []
    for case in foreign()["signed"]:
        note = Note.parse(case["note"].encode())
        assert Checkpoint.parse(note.text).origin == case["origin"]
        assert note.encode().decode() == case["note"]
        if "static-ct" in case["desc"]:
            # Type 0x05 signs an RFC 6962 tree head, which leaves out the origin.
            with pytest.raises(MalformedError, match="type 0x05"):
                VerifierKey.parse(case["vkey"])
            continue
        key = VerifierKey.parse(case["vkey"])
        assert verify_note(note, [key]) == [key]
        held.append(key.type.value)
    assert held == [0x01, 0x02, 0x02]


def test_the_lines_of_others_under_the_checkpoint_of_the_go_sumdb_verify():
    data = foreign()
    lines = [each["line"] for each in data["sumdb_extra_cosigners"]]
    vkeys = [each["vkey"] for each in data["sumdb_extra_cosigners"]]
    sumdb = data["signed"][0]
    note = Note.parse((sumdb["note"] + "".join(f"{li}\n" for li in lines)).encode())
    keys = [VerifierKey.parse(vkey) for vkey in (sumdb["vkey"], *vkeys)]
    assert verify_note(note, keys) == keys


@pytest.mark.parametrize(
    "parts",
    [
        {"origin": ""},
        {"origin": "log.example/a\n7"},
        {"extensions": ("",)},
        {"extensions": ("one\ntwo",)},
        {"size": -1},
        {"size": 2**63},
        {"root": bytes(31)},
    ],
    ids=str,
)
def test_parts_that_would_read_as_something_else_make_no_checkpoint(parts):
    whole = {"origin": "log.example/a", "size": 7, "root": bytes(32)}
    with pytest.raises(MalformedError, match="one reading"):
        Checkpoint(**whole | parts)
