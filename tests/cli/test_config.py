"""provlog config says what is set and where, refuses what a service would refuse,
and names what is allowed and can hardly be meant.
"""

import json
import re

import pytest

from cli.oddities import oddities
from ledger.callers import issuing
from ledger.clock import read_clock
from ledger.config import Config
from ledger.config.settings import Settings
from tests.cli.operating import done, provlog, said
from tests.profiles import HEAD
from tests.testlog import LOG, WITNESSES

TLS = {"tls_certificate": "chain.pem", "tls_key": "key.pem"}
OUTSIDE = {"listen": "0.0.0.0:8421", **TLS}


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "log"
    made.mkdir()
    write(made, "")
    return made


def odd(tokens=(), **changes):
    """The settings that are odd, by name."""
    found = oddities(Config(**changes), list(tokens), read_clock().wall_ms)
    return {each.setting: each.says for each in found}


def write(folder, text):
    (folder / "log.toml").write_text(text)


# What is set


def test_nothing_is_said_where_everything_is_by_default(folder):
    assert done("config", "check", folder) == "everything is as it is by default\n"
    assert said("config", "check", folder) == {
        "state": "fine",
        "says": "",
        "mend": "",
        "settings": [],
        "odd": [],
    }


def test_what_differs_is_said_with_its_place_and_its_reason(folder, monkeypatch):
    write(folder, 'pool_entries = 100000\nreads = "public"\n')
    monkeypatch.setenv("PROVLOG_WORKERS", "7")
    shown = done("config", "check", folder)
    assert f"pool_entries = 100_000  ({folder}/log.toml)" in shown
    assert "how many entries may wait for a batch" in shown
    assert "; default 65_536" in shown
    assert "workers = 7  (PROVLOG_WORKERS)" in shown
    assert "reads" not in shown  # it is set, to what it is by default
    found = said("config", "check", folder)["settings"]
    assert [(x["name"], x["value"], x["default"]) for x in found] == [
        ("pool_entries", 100_000, 65_536),
        ("workers", 7, 2),
    ]


def test_a_variable_goes_before_the_file(folder, monkeypatch):
    write(folder, "workers = 3\n")
    monkeypatch.setenv("PROVLOG_WORKERS", "7")
    (found,) = said("config", "check", folder)["settings"]
    assert (found["value"], found["where"]) == (7, "PROVLOG_WORKERS")


def test_every_setting_is_shown(folder, monkeypatch):
    write(folder, 'targets = ["a", "b"]\nindex = false\n')
    shown = done("config", "show", folder)
    names = re.findall(r"^(\w+) = ", shown, re.MULTILINE)
    assert names == list(Settings.__dataclass_fields__)
    assert f'targets = ["a", "b"]  ({folder}/log.toml)' in shown
    assert f"index = false  ({folder}/log.toml)" in shown
    lines = done("config", "show", folder, "--json").splitlines()
    assert [json.loads(each)["name"] for each in lines] == names


# What cannot be


WRONG = {
    "unknown": ("pool_entrys = 1\n", "'pool_entrys' is not known"),
    "toml": ("pool_entries = \n", "log.toml"),
    "kind": ('workers = "two"\n', "workers is not a number"),
    "listen": ('listen = "8421"\n', "listen is HOST:PORT"),
    "operations": ('operations = "[::1]"\n', "operations is HOST:PORT"),
    "half_tls": ('tls_certificate = "chain.pem"\n', "both a certificate and its key"),
    "no_tls": ('tls_certificate = "a"\ntls_key = "b"\n', "TLS cannot begin"),
    "profile": ('profiles = ["none.toml"]\n', "agent-audit, eu-ai-act"),
    "bucket": ('targets = ["s3://"]\n', "s3:// is no s3://BUCKET/PREFIX"),
    "scheme": ('targets = ["s3:/b/x"]\n', "s3:/b/x is no folder, s3://BUCKET/PREFIX"),
    "same": ('anchor = "key"\n', "anchor and key are the same file"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_no_service_begins_with_is_named_with_its_mend(folder, name):
    text, says = WRONG[name]
    write(folder, text)
    given = provlog("config", "check", folder)
    assert given.exit_code == 1
    assert "state       config" in given.stdout
    assert says in given.stdout
    assert re.search("^mend +(edit|set) ", given.stdout, re.MULTILINE)
    document = json.loads(provlog("config", "check", folder, "--json").stdout)
    assert document["state"] == "config"
    assert says in document["says"]


UNMET = {
    "nobody_cosigns": ('ack = "witnessed"\n', "provlog policy add-witness "),
    "no_secret": ('webhooks = ["https://desk.example/x"]\n', "provlog config secret "),
    "no_token": ('anchors = ["https://anchor.example"]\n', "put there what provlog "),
}


@pytest.mark.parametrize("name", UNMET)
def test_what_the_outside_wants_and_has_not_is_named_with_its_mend(folder, name):
    text, mend = UNMET[name]
    write(folder, text)
    given = provlog("config", "check", folder)
    assert given.exit_code == 1
    assert "state       config" in given.stdout
    assert f"mend        {mend}" in given.stdout


@pytest.mark.parametrize("name", ["anchors", "webhooks"])
def test_who_is_not_asked_because_of_reach_is_odd(folder, name):
    for each in ("webhook.secret", "anchor.token"):
        (folder / each).write_text("ab" * 32)
        (folder / each).chmod(0o600)
    line = f'{name} = ["https://127.0.0.1/x"]\n'
    write(folder, line)
    (found,) = said("config", "check", folder)["odd"]
    assert found["setting"] == "reach"
    assert "https://127.0.0.1" in found["says"]
    write(folder, line + 'reach = ["127.0.0.1"]\n')
    assert not said("config", "check", folder)["odd"]


def test_a_field_that_the_schema_does_not_have_is_odd(folder):
    demand = 'kinds = ["*"]\nmissing = "flag"\nbecause = "b"\n'
    fields = '["modle.digest", "inputs.digest | zzz", "result"]'
    text = f"{HEAD}[[require]]\nfields = {fields}\n{demand}"
    (folder / "house.toml").write_text(text)
    write(folder, 'profiles = ["house.toml", "agent-audit", "eu-ai-act"]\n')
    misspelt, unknown = said("config", "check", folder)["odd"]
    assert misspelt["setting"] == unknown["setting"] == "profiles"
    assert "modle.digest" in misspelt["says"]
    assert misspelt["says"].endswith("did you mean model.digest?")
    assert "zzz" in unknown["says"]


def test_so_is_a_witness(folder):
    witness = f"witness w1 {WITNESSES[0].vkey} https://127.0.0.1"
    (folder / "policy.txt").write_text(f"log {LOG.vkey}\n{witness}\nquorum w1\n")
    (found,) = said("config", "check", folder)["odd"]
    assert found["setting"] == "reach"


def test_a_policy_that_cannot_be_read_is_named(folder):
    (folder / "policy.txt").write_text("quorum who\n")
    given = provlog("config", "check", folder)
    assert given.exit_code == 1
    assert "policy.txt: " in given.stdout


def test_so_is_a_variable_that_is_no_setting(folder, monkeypatch):
    monkeypatch.setenv("PROVLOG_WORKER", "7")
    given = provlog("config", "check", folder)
    assert given.exit_code == 1
    assert "PROVLOG_WORKER: 'worker' is not known" in given.stdout


def test_a_wrong_address_is_mended_where_it_was_set(folder, monkeypatch):
    write(folder, 'listen = "8421"\n')
    assert (
        "set listen in log.toml, or --listen"
        in provlog("config", "check", folder).stdout
    )
    monkeypatch.setenv("PROVLOG_LISTEN", "8422")
    assert (
        "set listen in PROVLOG_LISTEN, or --listen"
        in provlog("config", "check", folder).stdout
    )


def test_what_is_for_clients_is_none_of_the_logs_settings(folder, monkeypatch):
    for name in ("TOKEN", "URL", "POLICY"):
        monkeypatch.setenv(f"PROVLOG_{name}", "something")
    assert provlog("config", "check", folder).exit_code == 0


def test_tokens_that_others_can_read_are_refused(folder):
    issuing.create(folder, scopes=["submit"], now_ms=1)
    (folder / "tokens").chmod(0o644)
    given = provlog("config", "check", folder)
    assert given.exit_code == 1
    assert "others can reach it" in given.stdout


# What is odd


def test_the_defaults_are_not_odd():
    assert odd() == {}


ODD = {
    "pool_entries": {"pool_entries": 100, "batch_entries": 101},
    "pool_bytes": {"pool_bytes": 1 << 20, "batch_bytes": 2 << 20},
    "batch_bytes": {"batch_bytes": 65_534},
    "memory_bytes": {"memory_bytes": 1 << 20},
    "limit_bytes": {"limit_bytes": 2 << 30, "map_bytes": 1 << 30},
    "min_free_bytes": {"min_free_bytes": 0},
    "scrub_entries_per_s": {"scrub_entries_per_s": 0},
    "connections_per_address": {"connections": 10, "connections_per_address": 11},
    "caller_entries_per_s": {"entries_per_s": 10, "caller_entries_per_s": 11},
    "caller_bytes_per_s": {"bytes_per_s": 10, "caller_bytes_per_s": 11},
    "publish_interval_ms": {"ack": "published", "publish_interval_ms": 5_001},
    "republish_s": {"republish_s": 1, "publish_interval_ms": 1_001},
    "reads": {"reads": "token"},
    "operations": {"operations": "0.0.0.0:8422"},
}


@pytest.mark.parametrize("name", ODD)
def test_what_can_hardly_be_meant_is_named(name):
    assert list(odd(**ODD[name])) == [name]


@pytest.mark.parametrize(
    "changes",
    [
        {"pool_entries": 100, "batch_entries": 100},
        {"batch_bytes": 65_535, "pool_bytes": 65_535},
        {"ack": "published", "publish_interval_ms": 5_000},
        {"publish_interval_ms": 60_000},
        {"entries_per_s": 0, "caller_entries_per_s": 11},
        {"operations": "localhost:1"},
    ],
    ids=["pool", "bytes", "ack", "interval", "rate", "operations"],
)
def test_what_is_next_to_it_is_not(changes):
    assert odd(**changes) == {}


@pytest.mark.parametrize("ack", ["published", "witnessed"])
def test_an_answer_that_cannot_come_in_time_is_named(ack):
    found = odd(ack=ack, publish_interval_ms=30_000)
    assert "none comes in time" in found["publish_interval_ms"]


def rows(folder, scope, **options):
    now_ms = read_clock().wall_ms
    issuing.create(folder, scopes=[scope], now_ms=now_ms - 1, **options)
    return issuing.listed(folder)


def test_nobody_can_submit_from_elsewhere_without_a_token(folder):
    assert "no token lets anybody submit" in odd(**OUTSIDE)["listen"]
    assert "listen" in odd(rows(folder, "read"), **OUTSIDE)
    assert odd(rows(folder, "submit"), **OUTSIDE) == {}


def test_a_token_that_has_ended_lets_nobody_in(folder):
    soon = read_clock().wall_ms + 60_000
    made = rows(folder, "submit", expires_ms=soon)
    assert not list(oddities(Config(**OUTSIDE), made, soon - 1))
    assert list(oddities(Config(**OUTSIDE), made, soon))


def test_tokens_that_anybody_can_read_on_the_way_are_named(folder):
    found = odd(rows(folder, "submit"), listen="0.0.0.0:8421")
    assert "for all to read, unless a proxy adds TLS" in found["listen"]


def test_a_place_that_only_one_process_knows_is_named(folder, monkeypatch):
    monkeypatch.setenv("PROVLOG_TARGETS", "../mirror")
    shown = done("config", "check", folder)
    assert "odd: targets: PROVLOG_TARGETS sets it" in shown


# The secret for webhooks


def test_a_secret_is_made_where_webhook_secret_says_and_never_shown(folder):
    write(folder, 'webhook_secret = "news.key"\nwebhooks = ["https://a.example/x"]\n')
    assert provlog("config", "check", folder).exit_code == 1
    given = provlog("config", "secret", folder)
    path = folder / "news.key"
    assert given.exit_code == 0
    assert str(path) in given.stdout
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text().strip() not in given.stdout + given.stderr
    assert provlog("config", "check", folder).exit_code == 0


def test_a_secret_that_is_there_stays(folder):
    done("config", "secret", folder)
    before = (folder / "webhook.secret").read_bytes()
    given = provlog("config", "secret", folder)
    assert given.exit_code == 2
    assert "a secret would replace it" in given.stderr
    assert (folder / "webhook.secret").read_bytes() == before


def test_where_there_is_no_log_no_secret_is_made(tmp_path):
    assert provlog("config", "secret", tmp_path).exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_whoever_has_no_secret_is_told_how_to_make_one(folder):
    write(folder, 'webhooks = ["https://a.example/x"]\n')
    assert "provlog config secret" in done_not("config", "check", folder)


def done_not(*words):
    given = provlog(*words)
    assert given.exit_code == 1
    return given.stdout
