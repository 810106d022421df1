"""All that a witness has cosigned of a log is one history, and it never forgets it."""

from __future__ import annotations

import pytest

from ledger.errors import Held, Unavailable
from ledger.witness.cosigner import MAX_BACK_S
from tests.testlog import LOG, ORIGIN, TIME, Signer, checkpoint_text, note, signer
from tests.witness.asked import (
    KEYS,
    NAME,
    OTHER,
    TREE,
    Asked,
    request,
    times_of,
    written,
)
from verifier.note import NoteSignature
from verifier.witnessing import SIZE_TYPE

ROOT = TREE.mth(0, 8)
TEXT = checkpoint_text(8, ROOT)


@pytest.fixture
def asked(tmp_path):
    return Asked(tmp_path)


@pytest.fixture
def grown(asked):
    """A witness that has cosigned size 5."""
    assert asked.add(request(0, 5)).status == 200
    return asked


def test_the_first_tree_of_a_log_is_cosigned_by_both_keys(asked):
    assert times_of(asked.add(request(0, 8)), request(0, 8)) == [TIME, TIME]


def test_a_tree_that_continues_the_last_one_is_cosigned(grown):
    assert times_of(grown.add(request(5, 8)), request(5, 8)) == [TIME, TIME]


def test_what_is_remembered_is_what_was_answered_and_the_line_of_the_log(asked):
    answer = asked.add(request(0, 8))
    assert asked.stored.encode() == note(TEXT, LOG.line(TEXT)) + answer.body


def test_a_tree_without_entries_can_be_the_first_one(asked):
    assert asked.add(request(0, 0)).status == 200
    assert asked.add(request(0, 5)).status == 200


@pytest.mark.parametrize("old", [0, 4, 6])
def test_whoever_does_not_know_the_last_size_is_told_it_and_nothing_else(grown, old):
    answer = grown.add(request(old, 8))
    assert answer.status == 409
    assert (answer.body, answer.content_type) == (b"5\n", SIZE_TYPE)


BROKEN = {
    "nothing": b"",
    "no old": request(5, 8).removeprefix(b"old 5\n"),
    "old +5": request(5, 8).replace(b"old 5", b"old +5"),
    "old 05": request(5, 8).replace(b"old 5", b"old 05"),
    "old beyond the size": written(9, [], note(TEXT, LOG.line(TEXT))),
    "64 hashes": written(5, [ROOT] * 64, note(TEXT, LOG.line(TEXT))),
    "a hash of 31 bytes": written(5, [ROOT[:31]], note(TEXT, LOG.line(TEXT))),
    "no signature": written(5, [], TEXT.encode()),
    "a NUL": request(5, 8) + b"\0",
    "CRLF": request(5, 8).replace(b"\n", b"\r\n"),
    "not UTF-8": request(5, 8).replace(ORIGIN.encode(), b"\xff"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_no_request_is_answered_400(grown, what):
    before = grown.stored
    assert grown.add(BROKEN[what]).status == 400
    assert grown.stored == before


@pytest.mark.parametrize(
    "text",
    [
        f"{ORIGIN}\n8\n",
        f"{ORIGIN}\n08\n{TEXT.splitlines()[2]}\n",
        f"{TEXT}an extension\n",
    ],
    ids=["no root", "08", "extension"],
)
def test_what_the_log_signed_and_is_no_checkpoint_of_ours_is_answered_400(asked, text):
    assert asked.add(written(0, [], note(text, LOG.line(text)))).status == 400
    assert asked.stored is None


def test_a_log_that_is_not_known_is_answered_404(grown):
    stranger = signer("other.example/log")
    body = request(0, 5, origin=stranger.name, by=stranger)
    assert grown.add(body).status == 404


def test_a_signature_whose_base64_has_stray_bits_is_kept_in_its_one_spelling(asked):
    body = request(0, 8)
    # 68 bytes end in three digits, of which the last has two bits too many.
    last = body[-3:-2]
    digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    stray = digits[digits.index(last) + 1 :][:1]
    assert asked.add(body[:-3] + stray + b"=\n").status == 200
    assert LOG.line(TEXT).encode() in asked.stored.encode()


THIEF = Signer(ORIGIN, 0x01, b"\x07" * 32)


def pretending(by: Signer) -> str:
    """A line of another key that has the name and the id of the log's."""
    blob = NoteSignature.parse(by.line(TEXT)[:-1]).signature
    return NoteSignature(LOG.name, LOG.key_id, blob).text()


def test_of_two_notes_in_one_request_the_first_is_no_checkpoint_of_the_log(grown):
    body = request(5, 8) + b"\n" + note(TEXT, LOG.line(TEXT))
    assert grown.add(body).status == 403


@pytest.mark.parametrize(
    "lines",
    [
        [THIEF.line(TEXT)],
        [pretending(THIEF)],
        [LOG.line(TEXT.replace("8\n", "9\n", 1))],
        [pretending(THIEF), LOG.line(TEXT)],
    ],
    ids=["another key", "its name and id", "of another text", "a bad one first"],
)
def test_what_the_log_did_not_sign_is_answered_403(grown, lines):
    body = written(5, TREE.consistency(5, 8), note(TEXT, *lines))
    assert grown.add(body).status == 403
    assert b"\n5\n" in grown.stored.encode()


def test_the_signature_is_looked_at_before_anything_is_said_of_the_last_tree(grown):
    body = written(0, [], note(TEXT, THIEF.line(TEXT)))
    assert grown.add(body).status == 403


UNPROVEN = {
    "another history": request(5, 8, tree=OTHER),
    "another root of the same size": request(5, 5, tree=OTHER),
    "no proof": written(5, [], note(TEXT, LOG.line(TEXT))),
    "a proof for the same size": request(5, 5).replace(
        b"old 5\n", b"old 5\n" + request(5, 8).split(b"\n")[1] + b"\n"
    ),
    "a hash too many": request(5, 8).replace(
        b"\n\n", b"\n" + request(5, 8).split(b"\n")[1] + b"\n\n", 1
    ),
}


@pytest.mark.parametrize("what", UNPROVEN)
def test_what_does_not_continue_the_last_tree_is_answered_422(grown, what):
    before = grown.stored
    assert grown.add(UNPROVEN[what]).status == 422
    assert grown.stored == before


def test_an_empty_tree_has_one_root_only(asked):
    text = checkpoint_text(0, ROOT)
    assert asked.add(written(0, [], note(text, LOG.line(text)))).status == 422


def test_nothing_is_proven_from_an_empty_tree(asked):
    body = written(0, [ROOT], note(TEXT, LOG.line(TEXT)))
    assert asked.add(body).status == 422


@pytest.mark.parametrize("kind", [0x04, 0x06])
def test_a_line_that_somebody_made_up_in_our_name_is_neither_kept_nor_answered(
    asked, kind
):
    ours = next(key.verifier_key for key in KEYS.keys if key.type.value == kind)
    forged = Signer(NAME, kind, b"\x09" * 32).line(TEXT)
    blob = NoteSignature.parse(forged[:-1]).signature
    line = NoteSignature(NAME, ours.id, blob).text()
    body = written(0, [], note(TEXT, LOG.line(TEXT), line, forged))
    answer = asked.add(body)
    assert times_of(answer, request(0, 8)) == [TIME, TIME]
    assert line.encode() not in answer.body + asked.stored.encode()
    assert forged.encode() not in answer.body + asked.stored.encode()


def test_lines_of_others_are_not_kept(asked):
    other = signer("witness.example/w2", 0x04).line(TEXT)
    assert asked.add(written(0, [], note(TEXT, other, LOG.line(TEXT)))).status == 200
    assert other.encode() not in asked.stored.encode()


def test_a_log_with_two_keys_may_sign_with_either_and_a_bad_line_spoils_it(tmp_path):
    second = Signer(ORIGIN, 0x06, b"\x03" * 32)
    asked = Asked(tmp_path, LOG, second)
    assert asked.add(request(0, 5, by=second)).status == 200
    assert asked.add(request(5, 8)).status == 200
    bad = second.line(checkpoint_text(9, ROOT)).encode()
    assert asked.add(request(8, 9) + bad).status == 403
    assert asked.add(request(8, 9)).status == 200


def test_the_same_tree_again_has_its_time_renewed(grown):
    grown.now += 60
    assert times_of(grown.add(request(5, 5)), request(5, 5)) == [TIME + 60] * 2


def test_the_same_tree_in_the_same_second_is_no_work(grown):
    before = grown.stored
    first, second = grown.add(request(5, 5)), grown.add(request(5, 5))
    # ML-DSA-44 never signs to the same bytes twice: it was not signed again.
    assert first == second
    assert grown.stored == before


def test_whoever_renews_the_time_meanwhile_does_not_keep_a_log_from_growing(grown):
    swap = grown.memory.swap

    def between(key, before, after):
        grown.memory.swap = swap
        grown.now += 1
        assert grown.add(request(5, 5)).status == 200
        return swap(key, before, after)

    grown.memory.swap = between
    assert times_of(grown.add(request(5, 8)), request(5, 8)) == [TIME + 1] * 2


def test_what_could_not_be_remembered_is_not_answered(grown):
    def lost(key, before, after):
        raise OSError("disk")

    grown.memory.swap = lost
    with pytest.raises(OSError, match="disk"):
        grown.add(request(5, 8))


def test_times_of_a_log_never_go_back(grown):
    grown.now -= MAX_BACK_S
    assert times_of(grown.add(request(5, 8)), request(5, 8)) == [TIME, TIME]


@pytest.mark.parametrize("now", [TIME - MAX_BACK_S - 1, 0, -1])
def test_with_a_clock_that_is_behind_nothing_is_cosigned(grown, now):
    grown.now = now
    before = grown.stored
    with pytest.raises(Unavailable, match="clock"):
        grown.add(request(5, 8))
    assert grown.stored == before


def test_a_list_of_logs_that_cannot_be_read_is_no_empty_one(grown):
    grown.logs.write_text("log nothing\n")
    with pytest.raises(Held, match=r"logs\.txt: line 1"):
        grown.add(request(5, 8))
