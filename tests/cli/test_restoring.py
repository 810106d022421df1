"""backup, export and restore say what they did, and end accordingly."""

import os
import shutil

import pytest

from ledger.store import layout as at
from tests.cli.operating import done, provlog, said, writing
from tests.loopback import Server, answer, folder, running
from tests.upkeep.spoil import (
    flip,
    is_sound,
    statements,
)

SIZE = 300


# backup, export


def test_a_backup_says_what_it_has(log, tmp_path):
    tree = log.check()
    given = said("backup", log.folder, tmp_path / "b")
    assert given == {
        "path": str(tmp_path / "b"),
        "role": "copy",
        "root": tree.root.hex(),
        "size": SIZE,
    }


def test_a_damaged_log_has_no_backup(log, tmp_path):
    log.given_up = True
    flip(log.folder, at.ENTRIES, at.index_key(0), 5)
    given = provlog("backup", log.folder, tmp_path / "b")
    assert given.exit_code == 2
    assert f"error: damaged: the log in {log.folder}: " in given.stderr
    assert f"mend: provlog fsck {log.folder} --repair" in given.stderr
    assert not (tmp_path / "b").exists()


def test_an_export_says_from_where_to_where(log, tmp_path):
    where = tmp_path / "public"
    assert said("export", log.folder, where)["before"] == 0
    log.append(b"one more")
    given = said("export", log.folder, where)
    assert (
        given.items()
        >= {
            "before": SIZE,
            "origin": log.charter.origin,
            "path": str(where),
            "root": log.check().root.hex(),
            "size": SIZE + 1,
        }.items()
    )
    done("audit", "--policy", log.folder / "policy.txt", where)


def test_a_backup_and_an_export_can_be_taken_while_it_is_written_to(log, tmp_path):
    with writing(log.folder):
        done("backup", log.folder, tmp_path / "b")
        done("export", log.folder, tmp_path / "e")
    done("audit", "--policy", log.folder / "policy.txt", tmp_path / "e")
    assert is_sound(tmp_path / "b")


# restore


def test_a_restore_says_what_it_did_and_against_what(log, copy):
    given = said("restore", log.folder, "--from", copy)
    tree = log.check()
    assert given["promises"] == [
        {"root": tree.root.hex(), "size": SIZE, "who": "the anchor"},
        {"root": tree.root.hex(), "size": SIZE, "who": str(copy)},
    ]
    assert (given["size"], given["root"]) == (SIZE, tree.root.hex())
    assert given["unidentified"] == 0
    assert os.path.isdir(given["aside"])


def test_a_moved_log_is_warned_about(log, tmp_path):
    shutil.copytree(log.folder, tmp_path / "moved")
    shutil.rmtree(log.folder)
    log.folder = tmp_path / "moved"
    given = provlog("restore", log.folder)
    assert given.exit_code == 2
    assert "error: cloned" in given.stderr
    assert f"mend: provlog restore {log.folder} --moved" in given.stderr
    given = provlog("restore", log.folder, "--moved")
    assert given.exit_code == 0
    assert "two histories under one key" in given.stderr
    done("append", log.folder, log.folder / "policy.txt")


def test_a_log_that_is_lost_but_for_an_export_is_made_again(new_log, tmp_path):
    log = new_log(kind="statement")
    log.append(*statements(SIZE))
    where = tmp_path / "public"
    done("export", log.folder, where)
    shutil.rmtree(log.folder / "store")
    (log.folder / "anchor").unlink()
    line = ["restore", log.folder, "--from", where]
    given = provlog(*line)
    assert given.exit_code == 2
    assert "mend: provlog restore" in given.stderr
    line += ["--checkpoint", where / "checkpoint"]
    given = provlog(*line)
    assert given.exit_code == 1
    assert "give --entries record, statement or opaque" in given.stderr
    given = provlog(*line, "--entries", "statement")
    assert given.exit_code == 0
    told = given.stdout
    assert f"nobody but the copies says that {SIZE} entries are all" in given.stderr
    assert f"nobody knows who handed in the last {SIZE} entries" in told
    assert "aside" not in told
    assert provlog("fsck", log.folder).exit_code == 0


def test_a_receipt_has_a_checkpoint_too(log, tmp_path):
    with log.open() as opened:
        newest = opened.checkpoint()
    receipt = b"c2sp.org/tlog-proof@v1\nindex 0\n\n" + newest
    (tmp_path / "receipt").write_bytes(receipt)
    (log.folder / "anchor").unlink()
    told = done("restore", log.folder, "--checkpoint", tmp_path / "receipt")
    assert f"the tree of size {SIZE} that a checkpoint has" in told


def test_what_was_given_already_is_in_the_command_that_mends_it(log, copy):
    (log.folder / "anchor").unlink()
    given = provlog("restore", log.folder, "--from", copy)
    assert given.exit_code == 2
    line = f"provlog restore {log.folder} --from {copy} --checkpoint NEWEST"
    assert f"mend: {line}\n" in given.stderr
    done(*line.replace("NEWEST", str(copy / "checkpoint")).split()[1:])


@pytest.mark.parametrize("command", ["restore", "fsck"])
def test_a_copy_behind_a_token_is_read_with_it_and_no_other_is(
    log, tmp_path, monkeypatch, command
):
    done("export", log.folder, tmp_path / "public")
    if command == "fsck":
        log.given_up = True
        flip(log.folder, at.ENTRIES, at.index_key(0), 5)
    (tmp_path / "token").write_text("word\n")
    line = [command, log.folder, "--from"]
    more = ["--repair"] if command == "fsck" else []
    with running(Server()) as server:
        server.behaviours = [asking("Bearer word", folder(tmp_path / "public"))]
        two = [server.prefix, "--from", f"{server.prefix}/other", *more]
        given = provlog(*line, *two, "--token-file", tmp_path / "token")
        assert given.exit_code == 2
        assert "--token-file is for one http(s) address" in given.stderr
        monkeypatch.setenv("PROVLOG_TOKEN", "word")
        provlog(*line, *two)
        assert all("Authorization" not in headers for _, headers in server.requests)
        monkeypatch.delenv("PROVLOG_TOKEN")
        given = provlog(*line, server.prefix, *more)
        assert given.exit_code == {"restore": 2, "fsck": 1}[command]
        token = ["--token-file", tmp_path / "token"]
        assert "word" not in done(*line, server.prefix, *more, *token)
    assert provlog("fsck", log.folder).exit_code == 0


def asking(token, behave):
    """Answer whoever has the token, and nobody else."""

    def answered(handler):
        known = handler.headers.get("Authorization") == token
        (behave if known else answer(401))(handler)

    return answered


def test_targets_that_are_silent_can_be_left_out(log):
    toml = log.folder / "log.toml"
    toml.write_text('min_free_bytes = 0\ntargets = ["../public"]\n')
    given = provlog("restore", log.folder)
    assert given.exit_code == 2
    assert "error: target_silent" in given.stderr
    done("restore", log.folder, "--without", "../public")


def test_what_was_put_into_a_bare_folder_is_said(log, copy):
    newest = (copy / "checkpoint").read_bytes()
    (copy.parent / "newest").write_bytes(newest)
    key = (log.folder / "key").read_bytes()
    shutil.rmtree(log.folder)
    line = ["restore", log.folder, "--from", copy]
    given = provlog(*line)
    assert given.exit_code == 2
    assert f"mend: mkdir -m 700 {log.folder}, put the log's key file" in given.stderr
    log.folder.mkdir()
    (log.folder / "key").write_bytes(key)
    (log.folder / "key").chmod(0o600)
    given = provlog(*line, "--checkpoint", copy.parent / "newest")
    assert given.exit_code == 0
    assert f"log.toml, from {copy}; see that it is right" in given.stderr
    assert "policy.txt, from the key" in given.stderr
    assert "no tokens file: every program of this machine can submit" in given.stderr
    assert f"says that {SIZE} entries are all there were" in given.stderr


def test_a_log_that_has_its_tokens_is_not_warned_about(log, copy):
    done("token", "create", log.folder)
    shutil.rmtree(log.folder / "store")
    given = provlog("restore", log.folder, "--from", copy)
    assert given.exit_code == 0
    assert "tokens" not in given.stderr


def test_a_folder_whose_name_a_shell_would_take_apart_is_quoted(log, tmp_path):
    dest = tmp_path / "two words"
    given = provlog("backup", log.folder, dest)
    assert f"provlog restore {log.folder} --from '{dest}'" in given.stderr


def test_a_backup_without_a_checkpoint_says_so(log, tmp_path):
    (log.folder / "anchor").unlink()
    given = provlog("backup", log.folder, tmp_path / "b")
    assert given.exit_code == 0
    assert "it has no checkpoint" in given.stderr
    log.given_up = True
