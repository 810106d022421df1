"""A note has one text and one spelling, and counts for the keys that were asked for."""

import json
from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.foreign import folder
from tests.testlog import Signer, b64, note, signer
from verifier.errors import MalformedError, SignatureError, UntrustedError
from verifier.keys import VerifierKey
from verifier.note import MAX_BYTES, Note, verify_note, verify_text

ALICE = signer("alice.example")
BOB = signer("bob.example")
TEXT = "A message.\n"


def key(who: Signer) -> VerifierKey:
    return VerifierKey.parse(who.vkey)


def read(data: bytes, *known: Signer) -> list[str]:
    """The names of those among `known` who signed."""
    return [each.name for each in verify_note(Note.parse(data), map(key, known))]


def refused_as_malformed(data: bytes, word: str = ".") -> None:
    with pytest.raises(MalformedError, match=word):
        Note.parse(data)


def by(name: str, blob: bytes) -> str:
    """A signature line that says what it likes."""
    return f"\u2014 {name} {b64(blob)}\n"


def foreign(name, file):
    return json.loads((folder(name) / file).read_text())


# --- the form ---


def test_a_note_is_read_and_written_again():
    data = note(TEXT, ALICE.line(TEXT), BOB.line(TEXT))
    parsed = Note.parse(data)
    assert parsed.text == TEXT
    assert [each.name for each in parsed.signatures] == [ALICE.name, BOB.name]
    assert parsed.signatures[0].key_id == ALICE.key_id
    assert parsed.encode() == data


@pytest.mark.parametrize("text", ["\n", "\n\n", "a\n\nb\n", "a\n\n", "\n\na\n\n\n"])
def test_the_last_empty_line_ends_the_text(text):
    data = note(text, ALICE.line(text))
    assert Note.parse(data).text == text
    assert Note.parse(data).encode() == data
    assert read(data, ALICE) == [ALICE.name]


@pytest.mark.parametrize("code", [each for each in range(0x20) if each != 0x0A])
def test_a_control_character_anywhere_is_refused(code):
    for data in (
        note(f"a{chr(code)}b\n", ALICE.line(TEXT)),
        note(TEXT, ALICE.line(TEXT)[:-1] + chr(code) + "\n"),
        note(TEXT, ALICE.line(TEXT)) + bytes([code]),
    ):
        refused_as_malformed(data, "control character")


@pytest.mark.parametrize("character", "\x7f\x85\u2028\u2029\u200b\u202e\ufeff\ufffd")
def test_what_only_python_takes_for_a_line_break_is_text(character):
    text = f"{character}one{character}line{character}\n"
    data = note(text, ALICE.line(text))
    assert Note.parse(data).text == text
    assert read(data, ALICE) == [ALICE.name]


SIGNED = note(TEXT, ALICE.line(TEXT))


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "no empty line"),
        (b"\n", "no empty line"),
        (TEXT.encode(), "no empty line"),
        (b"\n\n", "does not end"),
        (TEXT.encode() + b"\n", "does not end"),
        (SIGNED[:-1], "does not end"),
        (SIGNED + b"\n", "does not end"),
        (SIGNED.replace(b"\n\n", b"\n"), "no empty line"),
        (SIGNED.replace(b"\n", b"\r\n"), "control character"),
        (SIGNED + b"a line\n", "em dash"),
        (b"\xff" + SIGNED, "UTF-8"),
        (b"\xed\xa0\x80" + SIGNED, "UTF-8"),  # a surrogate
        (b"\xc0\x8a" + SIGNED, "UTF-8"),  # a newline, in two bytes
    ],
)
def test_a_note_ends_with_signature_lines_and_is_utf_8(data, word):
    refused_as_malformed(data, word)


LINE = ALICE.line(TEXT)


BAD_LINES = [
    *(LINE.replace("\u2014", dash) for dash in ("-", "\u2013", " \u2014", "")),
    *(LINE.replace("\u2014 ", f"\u2014{gap}") for gap in ("", "  ", "\u00a0")),
    *(LINE.replace(ALICE.name, name) for name in ("", "a b", "a+b", "a\u2003b")),
    *(LINE.replace("=\n", end) for end in ("\n", "==\n", "= \n", "=\u0661\n")),
    *(LINE.replace("\n", f"{end}{LINE}") for end in ("\x85", "\u2028")),
    f"\u2014 {ALICE.name}\n",
    f"\u2014 {ALICE.name} \n",
    by(ALICE.name, ALICE.key_id),
]


@pytest.mark.parametrize("line", BAD_LINES)
def test_a_signature_line_has_one_spelling_also_that_of_an_unknown_key(line):
    refused_as_malformed(note(TEXT, line, BOB.line(TEXT)))


def test_base64_with_bits_that_are_thrown_away_is_refused_though_go_reads_it():
    # 4 + 64 bytes leave two bits over in the last character.
    for last in "BCD":
        spoiled = f"{LINE[:-3]}{last}=\n"
        refused_as_malformed(note(TEXT, spoiled), "canonical")


def test_a_hundred_signature_lines_are_read_and_no_more():
    lines = [by(f"w{n}", bytes(5)) for n in range(99)]
    assert read(note(TEXT, *lines, LINE), ALICE) == [ALICE.name]
    refused_as_malformed(note(TEXT, *lines, LINE, LINE), "more than 100")


def test_a_note_has_a_cap_with_room_for_a_hundred_lines_of_ml_dsa():
    lines = [by(f"{n:0>255}", bytes(4 + 8 + 2420)) for n in range(100)]
    assert len(note(TEXT, *lines)) < MAX_BYTES
    padding = MAX_BYTES - len(SIGNED)
    assert Note.parse(b"a" * padding + SIGNED).signatures
    refused_as_malformed(b"a" * (padding + 1) + SIGNED, "at most")


@given(st.data())
def test_whatever_is_read_is_written_again_byte_for_byte(data):
    at = data.draw(st.integers(0, len(SIGNED) - 1), label="at")
    other = data.draw(st.binary(max_size=2), label="other")
    spoiled = SIGNED[:at] + other + SIGNED[at + 1 :]
    try:
        parsed = Note.parse(spoiled)
    except MalformedError:
        return
    assert parsed.encode() == spoiled


# --- whose signatures count ---


def test_a_note_is_by_those_who_were_asked_for():
    data = note(TEXT, ALICE.line(TEXT), BOB.line(TEXT))
    assert read(data, BOB) == [BOB.name]
    assert read(data, BOB, ALICE) == [ALICE.name, BOB.name]


@pytest.mark.parametrize("known", [[], [BOB]])
def test_a_note_by_nobody_who_was_asked_for_is_refused(known):
    with pytest.raises(UntrustedError, match="none of the configured keys"):
        read(SIGNED, *known)


def test_a_known_key_whose_signature_is_bad_spoils_the_note_of_all_others():
    with pytest.raises(SignatureError, match=BOB.name):
        read(note(TEXT, ALICE.line(TEXT), BOB.line("Another.\n")), ALICE, BOB)


def test_an_unknown_key_is_ignored_though_it_has_the_name_or_the_id_of_a_known_one():
    same_name = by(ALICE.name, BOB.key_id + bytes(64))
    same_id = by(BOB.name, ALICE.key_id + bytes(64))
    assert read(note(TEXT, same_name, same_id, LINE), ALICE) == [ALICE.name]
    with pytest.raises(UntrustedError):
        read(note(TEXT, same_name, same_id), ALICE)


def test_the_first_line_of_a_key_counts_and_once():
    bad = by(ALICE.name, ALICE.key_id + bytes(64))
    assert read(note(TEXT, LINE, LINE, bad), ALICE) == [ALICE.name]
    with pytest.raises(SignatureError):
        read(note(TEXT, bad, LINE), ALICE)


def test_two_configured_keys_of_one_name_and_id_are_ambiguous_once_they_matter():
    assert read(SIGNED, ALICE, BOB, BOB) == [ALICE.name]
    with pytest.raises(UntrustedError, match="two configured keys"):
        read(SIGNED, ALICE, ALICE)


@pytest.mark.parametrize("kind", [0x04, 0x06])
def test_a_cosigner_signs_no_text(kind):
    witness = signer("witness.example", kind)
    line = by(witness.name, witness.key_id + witness.sign(TEXT.encode()))
    with pytest.raises(SignatureError, match="checkpoints only"):
        read(note(TEXT, line), witness)


# --- foreign judges ---

UPSTREAM = {
    "malformed": (MalformedError, "."),
    "unverified": (UntrustedError, "none of the configured keys"),
    "config-error": (UntrustedError, "two configured keys"),
    "invalid-signature": (SignatureError, "does not verify"),
}


def test_notes_are_opened_and_refused_as_go_does_it_and_for_the_same_reason():
    cases = foreign("golang-xmod", "note_vectors.json")["open_cases"]
    assert len(cases) == 15
    for case in cases:
        data = b64decode(case["note_base64"])
        keys = [VerifierKey.parse(vkey) for vkey in case["keys"]]
        if case["result"] == "ok":
            parsed = Note.parse(data)
            assert [k.name for k in verify_note(parsed, keys)] == case["verified"]
            assert parsed.encode() == data
            continue
        error, word = UPSTREAM[case["result"]]
        with pytest.raises(error, match=word) as raised:
            verify_note(Note.parse(data), keys)
        assert type(raised.value) is error, case["name"]


def test_the_note_that_go_signs_verifies_and_is_written_alike():
    case = foreign("golang-xmod", "note_vectors.json")["sign_kat"]
    seed = b64decode(case["skey_parts"][4])[1:]
    made = Signer(case["skey_parts"][2], 0x01, seed)
    assert made.vkey == case["vkey"]
    signed = note(case["text"], made.line(case["text"])).decode()
    assert signed == case["signed_note"]
    assert read(signed.encode(), made) == [made.name]
    zero = case["zero_seed_key"]
    assert Signer(zero["name"], 0x01, bytes(32)).vkey == zero["vkey"]


def test_the_examples_of_the_specification_are_read():
    cases = foreign("c2sp-spec-examples", "examples.json")
    signed = cases["signed_note"]
    parsed = Note.parse(signed["note"].encode())
    known = VerifierKey.parse(signed["vkey"])
    assert verify_note(parsed, [known]) == [known]
    verify_text(known, parsed.text, parsed.signatures[0].signature)
    poem = Note.parse(cases["note_with_blank_lines"].encode())
    assert poem.text.count("\n\n") == 1
    assert poem.encode().decode() == cases["note_with_blank_lines"]
