"""A variable of the environment goes before the file, and is read as strictly."""

import pytest

from ledger.config import NAME, Config
from ledger.errors import Held

FILE = {"pool_entries": 3, "targets": ("file",), "index": True}


@pytest.fixture
def given(tmp_path, monkeypatch):
    """Reads the settings with one variable set; the file says other things."""

    def read_with(variable, text):
        monkeypatch.setenv(variable, text)
        file = 'pool_entries = 3\ntargets = ["file"]\nindex = true\n'
        (tmp_path / NAME).write_text(file)
        return Config.read(tmp_path)

    return read_with


@pytest.mark.parametrize(
    ("variable", "text", "value"),
    [
        ("PROVLOG_POOL_ENTRIES", "7", 7),
        ("PROVLOG_WORKERS", "0", 0),
        ("PROVLOG_INDEX", "false", False),
        (
            "PROVLOG_TARGETS",
            "../a,https://log.example",
            ("../a", "https://log.example"),
        ),
        ("PROVLOG_TARGETS", "", ()),
        ("PROVLOG_LISTEN", "127.0.0.1:0", "127.0.0.1:0"),
        ("PROVLOG_TLS_KEY", "", ""),
        ("PROVLOG_ACK", "published", "published"),
    ],
)
def test_a_variable_goes_before_the_file_and_changes_nothing_else(
    given, variable, text, value
):
    name = variable.removeprefix("PROVLOG_").lower()
    assert given(variable, text) == Config(**{**FILE, name: value})


def test_a_variable_counts_where_there_is_no_file(tmp_path, monkeypatch):
    monkeypatch.setenv("PROVLOG_POOL_ENTRIES", "7")
    assert Config.read(tmp_path) == Config(pool_entries=7)


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        *(("PROVLOG_POOL_ENTRIES", text) for text in ("0", "-1", "+7", " 7", "7.0")),
        *(("PROVLOG_POOL_ENTRIES", text) for text in ("", "1_0", "\u0667", "0x7")),
        ("PROVLOG_POOL_ENTRIES", str(1 << 63)),
        *(("PROVLOG_INDEX", text) for text in ("", "0", "1", "yes", "True")),
        ("PROVLOG_ANCHOR", ""),
        ("PROVLOG_ACK", "none"),
        ("PROVLOG_POOL_ENTRYS", "7"),
        ("PROVLOG_", "7"),
    ],
)
def test_a_variable_is_checked_as_the_file_is(given, variable, text):
    with pytest.raises(Held, match=rf"^{variable}: ") as caught:
        given(variable, text)
    assert caught.value.state == "config"
    assert caught.value.mend == f"set {variable} right, or unset it"


def test_a_variable_may_not_bring_anchor_and_key_together(given):
    with pytest.raises(Held, match="the same file"):
        given("PROVLOG_KEY", "anchor")


@pytest.mark.parametrize(
    "variable",
    ["PROVLOG_TOKEN", "PROVLOG_URL", "PROVLOG_POLICY", "POOL_ENTRIES", "provlog_key"],
)
def test_what_is_for_clients_and_others_changes_nothing(given, variable):
    assert given(variable, "7") == Config(**FILE)
