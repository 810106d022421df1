"""A token lets in whom it was made for, until it ends, and nobody else.

What is given out and taken back counts from the next request on. Where the file of
tokens cannot be believed, nobody is let in.
"""

import json
import os
import re
import resource

import pytest

from ledger.callers.issuing import create, revoke
from ledger.callers.tokenfile import MAX_BYTES, listed
from ledger.callers.tokens import Caller, Tokens
from ledger.errors import Held, Refused, Unavailable

NOW = 1_790_000_000_000
HOUR = 3_600_000
UNKNOWN = f"provlog_{'x' * 43}"


def made(folder, **options):
    """A token, and its row."""
    return create(folder, **{"scopes": ["submit", "read"], "now_ms": NOW} | options)


def tokens(folder, now=NOW):
    return Tokens(folder, lambda: now)


def said(error):
    """What an outsider hears of a refusal."""
    return type(error.value), error.value.check, str(error.value)


# Who is let in


def test_a_token_lets_in_whom_it_was_made_for(tmp_path):
    text, row = made(tmp_path, name="train-eu-1")
    made(tmp_path)
    caller = tokens(tmp_path).caller(text)
    assert caller == Caller(row.by, frozenset({"submit", "read"}), row.id)


def test_a_token_is_known_by_its_form_and_is_new_each_time(tmp_path):
    many = [made(tmp_path) for _ in range(20)]
    assert all(re.fullmatch(r"provlog_[\w-]{43}", text) for text, _ in many)
    assert all(re.fullmatch("s-[0-9a-f]{20}", row.by) for _, row in many)
    assert len({text for text, _ in many}) == 20
    assert len({row.by for _, row in many}) == 20


def test_a_submitter_keeps_the_pseudonym_with_another_token(tmp_path):
    old, row = made(tmp_path)
    new, other = made(tmp_path, by=row.by, scopes=["audit"])
    known = tokens(tmp_path)
    assert known.caller(old).by == known.caller(new).by == row.by
    assert known.caller(new).scopes == {"audit"}
    assert other.id != row.id


def test_unknown_revoked_and_expired_tokens_hear_the_same(tmp_path):
    revoked, row = made(tmp_path)
    revoke(tmp_path, row.id, NOW)
    expired, _ = made(tmp_path, expires_ms=NOW + HOUR)
    known, heard = tokens(tmp_path, NOW + HOUR), set()
    for text in (UNKNOWN, revoked, expired):
        with pytest.raises(Refused) as error:
            known.caller(text)
        heard.add(said(error))
        assert text not in repr(error.value)
    assert len(heard) == 1


def test_a_token_ends_at_its_time(tmp_path):
    text, row = made(tmp_path, expires_ms=NOW + HOUR)
    assert tokens(tmp_path, NOW + HOUR - 1).caller(text).token == row.id
    with pytest.raises(Refused, match="expired"):
        tokens(tmp_path, NOW + HOUR).caller(text)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: "",
        lambda text: text[:-1],
        lambda text: f"{text}x",
        lambda text: f"{text}\n",
        lambda text: f" {text}",
        lambda text: text.upper(),
        lambda text: text.removeprefix("provlog_"),
        lambda text: text[:-1] + "é",
        lambda text: text[:-1] + "\udcff",
        lambda text: text * 10_000,
    ],
    ids=range(10),
)
def test_what_has_not_the_form_of_a_token_is_refused_and_not_quoted(tmp_path, spoil):
    text, _ = made(tmp_path)
    with pytest.raises(Refused, match="provlog_ and 43 characters") as error:
        tokens(tmp_path).caller(spoil(text))
    assert text[8:-1] not in str(error.value)


def test_where_no_token_was_ever_made_nobody_has_one(tmp_path):
    known = tokens(tmp_path)
    assert known.any is False
    with pytest.raises(Refused, match="unknown"):
        known.caller(UNKNOWN)


# At once


def test_what_is_made_and_taken_back_counts_from_the_next_request_on(tmp_path):
    known = tokens(tmp_path)
    assert not known.any
    for _ in range(30):
        text, row = made(tmp_path)
        assert known.any
        assert known.caller(text).token == row.id
        revoke(tmp_path, row.id, NOW)
        with pytest.raises(Refused, match="revoked"):
            known.caller(text)


def test_a_log_whose_last_token_has_ended_still_asks_for_one(tmp_path):
    _, row = made(tmp_path, expires_ms=NOW + 1)
    revoke(tmp_path, row.id, NOW)
    assert tokens(tmp_path, NOW + HOUR).any is True


# What is kept


def test_the_token_itself_is_nowhere(tmp_path):
    text, row = made(tmp_path)
    known = tokens(tmp_path)
    shown = repr((row, known, known.caller(text), listed(tmp_path)))
    files = b"".join(each.read_bytes() for each in tmp_path.iterdir())
    assert text[8:] not in shown
    assert text[8:].encode() not in files
    assert row.hash.encode() in files


# A file that cannot be believed


def changed(folder, change):
    path = folder / "tokens"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def linked(folder):
    os.rename(folder / "tokens", folder / "elsewhere")
    (folder / "tokens").symlink_to(folder / "elsewhere")


def replaced(folder, make):
    (folder / "tokens").unlink()
    make(folder / "tokens")


SPOILED = {
    "empty": lambda at: os.truncate(at / "tokens", 0),
    "half": lambda at: os.truncate(at / "tokens", 100),
    "huge": lambda at: (at / "tokens").write_bytes(
        (at / "tokens").read_bytes() + b" " * MAX_BYTES
    ),
    "no_json": lambda at: (at / "tokens").write_bytes(b"\xff\xfe\x00"),
    "deep": lambda at: (at / "tokens").write_bytes(b"[" * 100_000),
    "version": lambda at: changed(at, lambda it: it.update(version=2)),
    "more": lambda at: changed(at, lambda it: it.update(more=1)),
    "unknown": lambda at: changed(at, lambda it: it["tokens"][0].update(x=1)),
    "scope": lambda at: changed(at, lambda it: it["tokens"][0].update(scopes=["x"])),
    "by": lambda at: changed(at, lambda it: it["tokens"][0].update(by="log")),
    "hash": lambda at: changed(at, lambda it: it["tokens"][0].update(hash="00")),
    "expiry": lambda at: changed(at, lambda it: it["tokens"][0].update(expires_ms="")),
    "lost": lambda at: changed(at, lambda it: it["tokens"][1].pop("revoked_ms")),
    "twice": lambda at: changed(at, lambda it: it["tokens"].append(it["tokens"][0])),
    "group_read": lambda at: os.chmod(at / "tokens", 0o640),
    "world_read": lambda at: os.chmod(at / "tokens", 0o604),
    "group_write": lambda at: os.chmod(at / "tokens", 0o620),
    "link": linked,
    "pipe": lambda at: replaced(at, os.mkfifo),
    "folder": lambda at: replaced(at, os.mkdir),
}
if os.geteuid() == 0:
    SPOILED["owner"] = lambda at: os.chown(at / "tokens", 12_345, -1)


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED)
def test_a_file_that_cannot_be_believed_lets_nobody_in(tmp_path, spoil):
    text, row = made(tmp_path)
    revoke(tmp_path, made(tmp_path)[1].id, NOW)
    known = tokens(tmp_path)
    assert known.caller(text).token == row.id
    spoil(tmp_path)
    for each in (known, known, tokens(tmp_path)):
        with pytest.raises(Unavailable, match="until the operator has looked") as error:
            each.caller(text)
        assert error.value.reason == "tokens"
        with pytest.raises(Unavailable):
            _ = each.any
    with pytest.raises(Held, match=r"/tokens ") as held:
        listed(tmp_path)
    assert held.value.state == "config"
    assert held.value.mend


@pytest.mark.parametrize("spoil", ["half", "group_write"])
def test_a_file_that_is_mended_is_believed_again(tmp_path, spoil):
    text, row = made(tmp_path)
    whole = (tmp_path / "tokens").read_bytes()
    known = tokens(tmp_path)
    SPOILED[spoil](tmp_path)
    with pytest.raises(Unavailable):
        known.caller(text)
    (tmp_path / "tokens").write_bytes(whole)
    (tmp_path / "tokens").chmod(0o600)
    assert known.caller(text).token == row.id


def test_a_file_that_is_gone_is_not_a_log_without_tokens(tmp_path):
    text, _ = made(tmp_path)
    known = tokens(tmp_path)
    known.caller(text)
    (tmp_path / "tokens").unlink()
    for _ in range(2):
        with pytest.raises(Unavailable):
            known.caller(text)
        with pytest.raises(Unavailable):
            _ = known.any


def test_what_cannot_be_read_just_now_is_read_a_moment_later(tmp_path):
    text, row = made(tmp_path)
    known = tokens(tmp_path)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, before[1]))
    try:
        with pytest.raises(Unavailable):  # since too many files are open
            known.caller(text)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert known.caller(text).token == row.id
