"""Settings are read strictly: what is not known, or has no sense, is refused."""

import dataclasses
import os

import pytest

from ledger.config import MAX_BYTES, NAME, Config
from ledger.errors import Held

FIELDS = {each.name: each.default for each in dataclasses.fields(Config)}
NUMBERS = [name for name, default in FIELDS.items() if type(default) is int]
FILES = [
    *("anchor", "key", "anchor_token", "webhook_secret", "tls_certificate", "tls_key"),
]
LISTS = ["targets", "anchors", "webhooks", "reach", "profiles", "statement_types"]
ADDRESSES = ["listen", "operations"]
CHOICES = {
    "reads": ["public", "token"],
    "ack": ["committed", "published", "witnessed"],
    "witness_failure": ["closed", "open"],
    "receipt_algorithm": ["-19", "-8"],
}
MOST = {"workers": 64}
MAY_BE_0 = [
    *("min_free_bytes", "hold_when_ahead_days", "scrub_entries_per_s", "workers"),
    *("entries_per_s", "bytes_per_s", "caller_entries_per_s", "caller_bytes_per_s"),
    "caller_requests_per_s",
]


def read(folder, text):
    (folder / NAME).write_text(text)
    return Config.read(folder)


def refused(folder, text):
    with pytest.raises(Held) as caught:
        read(folder, text)
    assert caught.value.state == "config"
    assert str(folder / NAME) in str(caught.value)
    assert str(folder / NAME) in caught.value.mend
    return str(caught.value)


def test_without_a_file_everything_is_as_the_class_says(tmp_path):
    assert Config.read(tmp_path) == Config()


def test_an_empty_file_changes_nothing(tmp_path):
    assert read(tmp_path, "# nothing\n") == Config()


@pytest.mark.parametrize("name", NUMBERS)
def test_every_number_can_be_set(tmp_path, name):
    assert getattr(read(tmp_path, f"{name} = 7"), name) == 7
    largest = MOST.get(name, (1 << 63) - 1)
    assert getattr(read(tmp_path, f"{name} = {largest}"), name) == largest


@pytest.mark.parametrize("name", MAY_BE_0)
def test_0_can_be_set_where_it_has_a_meaning(tmp_path, name):
    assert getattr(read(tmp_path, f"{name} = 0"), name) == 0


@pytest.mark.parametrize("name", [each for each in NUMBERS if each not in MAY_BE_0])
def test_0_is_refused_where_it_has_none(tmp_path, name):
    assert f"{name} is not a number from 1" in refused(tmp_path, f"{name} = 0")


@pytest.mark.parametrize("name", NUMBERS)
def test_what_no_address_has_room_for_is_refused(tmp_path, name):
    assert name in refused(tmp_path, f"{name} = {1 << 63}")


@pytest.mark.parametrize("name", MOST)
def test_more_than_makes_sense_is_refused_wherever_it_is_set(tmp_path, name):
    says = f"{name} is not a number from 0 to {MOST[name]}"
    assert says in refused(tmp_path, f"{name} = {MOST[name] + 1}")
    (tmp_path / NAME).unlink()
    with pytest.raises(Held, match=says):
        Config.read(tmp_path, {f"PROVLOG_{name.upper()}": str(MOST[name] + 1)})


def test_a_spelling_mistake_is_told_from_a_setting_that_nobody_knows(tmp_path):
    assert refused(tmp_path, "worker = 2").endswith("did you mean workers?")
    assert "known are anchor, key, targets" in refused(tmp_path, "zzz = 2")


@pytest.mark.parametrize("name", [*FILES, *ADDRESSES])
def test_every_text_can_be_set(tmp_path, name):
    assert getattr(read(tmp_path, f'{name} = "/mnt/other"'), name) == "/mnt/other"


@pytest.mark.parametrize("name", ["tls_certificate", "tls_key"])
def test_nothing_can_be_named_where_that_has_a_meaning(tmp_path, name):
    assert getattr(read(tmp_path, f'{name} = ""'), name) == ""


@pytest.mark.parametrize("name", CHOICES)
def test_of_a_choice_every_word_can_be_set_and_no_other(tmp_path, name):
    for word in CHOICES[name]:
        assert getattr(read(tmp_path, f'{name} = "{word}"'), name) == word
    for other in ('""', '"none"', f'"{CHOICES[name][0].upper()}."', "true", "[]"):
        assert " or ".join(CHOICES[name]) in refused(tmp_path, f"{name} = {other}")


def test_the_index_can_be_had_or_not(tmp_path):
    assert read(tmp_path, "index = true").index is True
    assert read(tmp_path, "index = false").index is False
    for other in ("0", "1", '"true"', '""', "[true]"):
        assert "true or false" in refused(tmp_path, f"index = {other}")


@pytest.mark.parametrize("name", LISTS)
def test_of_some_there_can_be_many_or_none(tmp_path, name):
    found = read(tmp_path, f'{name} = ["../copy", "https://log.example"]')
    assert getattr(found, name) == ("../copy", "https://log.example")
    assert getattr(read(tmp_path, f"{name} = []"), name) == ()


def test_nothing_else_can_be_set():
    texts = {*FILES, *ADDRESSES, *CHOICES}
    assert set(FIELDS) == {"index", *LISTS, *texts, *NUMBERS}


def test_a_spelling_mistake_is_told_with_what_is_known(tmp_path):
    says = refused(tmp_path, "pool_entrys = 7")
    assert "'pool_entrys' is not known" in says
    assert "pool_entries" in says


@pytest.mark.parametrize("value", ["-1", "1.5", "true", '"7"', "[7]", "2026-01-01"])
def test_what_is_no_number_from_0_on_is_refused(tmp_path, value):
    assert "pool_entries" in refused(tmp_path, f"pool_entries = {value}")


@pytest.mark.parametrize("value", ['""', "7", "true", '["anchor"]'])
@pytest.mark.parametrize("name", ["anchor", "key", *ADDRESSES])
def test_what_is_no_text_is_refused(tmp_path, name, value):
    assert f"{name} is not" in refused(tmp_path, f"{name} = {value}")


@pytest.mark.parametrize("value", ['"../copy"', "[7]", '["a", 7]', "{}"])
def test_what_is_no_list_of_texts_is_refused(tmp_path, value):
    assert "targets is not" in refused(tmp_path, f"targets = {value}")


@pytest.mark.parametrize(
    "text",
    [r'anchor = "a\u0000b"', r'key = "a\u0000b"', r'targets = ["\u0000"]'],
)
def test_a_name_that_no_file_can_have_is_refused(tmp_path, text):
    assert "without NUL" in refused(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    [
        'anchor = "key"',
        'key = "./anchor"',
        'anchor = "store/data.mdb"',
        'key = "store/key"',
        'anchor = "store"',
        'key = "policy.txt"',
        'anchor = "../log/lock"',
        'anchor = "."',
    ],
)
def test_anchor_and_key_have_files_of_their_own(tmp_path, text):
    folder = tmp_path / "log"
    folder.mkdir()
    refused(folder, text)


def test_two_names_of_one_file_are_one_file(tmp_path):
    (tmp_path / "key").touch()
    (tmp_path / "beside").hardlink_to(tmp_path / "key")
    assert "the same file" in refused(tmp_path, 'anchor = "beside"')
    (tmp_path / "linked").symlink_to("key")
    assert "the same file" in refused(tmp_path, 'anchor = "linked"')


@pytest.mark.parametrize(
    "text",
    [f"pool_entries = {'9' * 5_000}", f"x = {'[' * 20_000}"],
    ids=["a number without end", "brackets without end"],
)
def test_what_no_parser_gets_to_the_end_of_is_refused(tmp_path, text):
    refused(tmp_path, text)


@pytest.mark.parametrize("text", ["pool_entries", "key = 1\nkey = 2", "[log]\nkey = 1"])
def test_what_is_no_flat_toml_is_refused(tmp_path, text):
    refused(tmp_path, text)


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / NAME).write_bytes(b"# \xff")
    with pytest.raises(Held, match="utf-8"):
        Config.read(tmp_path)


def test_a_folder_in_its_place_is_refused(tmp_path):
    (tmp_path / NAME).mkdir()
    with pytest.raises(Held, match="regular file"):
        Config.read(tmp_path)


def test_a_pipe_in_its_place_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / NAME)
    with pytest.raises(Held, match="regular file"):
        Config.read(tmp_path)


def test_what_gives_bytes_for_ever_is_refused_and_not_read(tmp_path):
    (tmp_path / NAME).symlink_to("/dev/zero")
    with pytest.raises(Held, match="regular file"):
        Config.read(tmp_path)


def test_where_there_is_no_folder_there_are_no_settings(tmp_path):
    (tmp_path / "file").touch()
    assert Config.read(tmp_path / "file") == Config()


def test_a_file_without_end_is_refused(tmp_path):
    assert read(tmp_path, "#" * MAX_BYTES) == Config()
    assert "bytes" in refused(tmp_path, "#" * (MAX_BYTES + 1))


def test_the_defaults_leave_room_on_the_disk_and_under_the_map():
    config = Config()
    assert config.limit_bytes < config.map_bytes
    assert config.batch_bytes <= config.pool_bytes
    assert config.batch_entries <= config.pool_entries
    assert config.min_free_bytes >= 1 << 30


def test_settings_reach_the_log(new_log):
    live = new_log(settings='anchor = "anchor"\npool_entries = 3\n')
    with live.open() as log:
        assert log.home.config.pool_entries == 3
        with pytest.raises(Exception, match="at most 3"):
            log.append([b"entry"] * 4)
        live.append(*[b"entry"] * 3, log=log)


def test_an_anchor_on_another_disk_is_found_there(new_log, tmp_path):
    live = new_log()
    (live.folder / "anchor").rename(tmp_path / "far")
    (live.folder / "log.toml").write_text(
        f'min_free_bytes = 0\nanchor = "{tmp_path / "far"}"\n'
    )
    live.append(b"entry")
    assert not (live.folder / "anchor").exists()
