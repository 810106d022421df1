"""provlog producer enters who may sign, lists it with proofs, and takes keys back.

Each log that is written to is audited when its test is over. What is listed of a
service was held against the policy, whatever the service says.
"""

import json
import re

import pytest

from ledger.keys import registry
from ledger.keys.producerkey import ProducerKey
from ledger.keys.registry import own_of_json
from tests.authority import issue, p256_key
from tests.capture.live import serving, token_of, with_witness
from tests.capture.truth import Posting
from tests.cli.operating import (
    done,
    entries_of,
    provlog,
    record_text,
    said,
    shell,
    start,
)
from tests.livelog import FIRST, other_key_only
from tests.loopback import Server, answer, raw, running
from tests.statements import CI, ISSUER, OTHER, Maker, added, sign1
from tests.testlog import policy_text
from verifier.certificate import Certificate
from verifier.cosekey import thumbprint
from verifier.pem import key_id, key_text, parse_keys
from verifier.producers.believed import believed_producers
from verifier.producers.credential import Credential
from verifier.producers.register import Register
from verifier.statement.own import own_in

THIRD = Maker("p-256", 3)
MAKERS = {"ci.pub": CI, "other.pub": OTHER, "third.pub": THIRD}
IDS = {name: key_id(each.public) for name, each in MAKERS.items()}
AUTHORITY = issue("CN=lab", p256_key(9), authority=True)
LAB = Certificate.parse(AUTHORITY.der)
HOUR = 3_600_000
SETTINGS = "publish_interval_ms = 50"


@pytest.fixture
def folder(new_log, desk):
    return new_log(kind="record").folder


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """Public keys, in the current folder."""
    monkeypatch.chdir(tmp_path)
    for name, each in MAKERS.items():
        (tmp_path / name).write_text(key_text(each.public))
    (tmp_path / "authority.pem").write_text(AUTHORITY.pem)
    (tmp_path / "signed").write_bytes(sign1())
    return tmp_path


def owns(folder):
    """What the log says of producers, in its entries."""
    found = [own_in(each) for each in entries_of(folder)]
    return [each for each in found if each and each["kind"].startswith("producer.")]


def keys_of(folder, name="ci"):
    """The keys of a producer, by what the list says to programs."""
    (found,) = (
        each
        for each in said("producer", "list", folder)["producers"]
        if each["producer"] == name
    )
    return {each["id"]: each for each in found["keys"]}


# Adding


@pytest.mark.parametrize("kind", ["record", "statement"])
def test_a_producer_is_registered_and_his_statements_are_logged(new_log, desk, kind):
    log = new_log(kind=kind)
    refused = provlog("append", log.folder, "signed")
    assert "refused: producer: no producer is known" in refused.stderr
    index = FIRST if kind == "record" else 0
    given = done("producer", "add", log.folder, "ci", "ci.pub", "--issuer", ISSUER)
    assert given.splitlines() == [
        "producer    ci",
        f"issuer      {ISSUER}",
        f"key         ed25519 key {IDS['ci.pub']}, registered at entry {index}",
        f"entry       {index}",
    ]
    assert done("append", log.folder, "signed") == f"{index + 1}  signed\n"


def test_a_program_is_told_the_same(folder):
    made = said("producer", "add", folder, "ci", "ci.pub", "third.pub")
    assert made.pop("index") == FIRST
    assert made == said("producer", "list", folder)["producers"][0]
    assert made["keys"][0]["thumbprint"] == thumbprint(CI.public).hex()
    assert len(made["keys"][1].pop("thumbprint")) == 64
    assert made["keys"][1] == {
        "id": IDS["third.pub"],
        "algorithm": "ecdsa-p256",
        "certificate": None,
        "registered": FIRST,
        "from_ms": None,
        "until_ms": None,
        "revoked": None,
        "reason": "",
    }


def test_several_keys_may_have_to_sign(folder, desk):
    options = ("--threshold", 2)
    given = done("producer", "add", folder, "ci", "ci.pub", "other.pub", *options)
    assert "threshold   2 of its keys have to sign" in given
    refused = provlog("append", folder, "signed")
    assert "1 of ci's keys have signed it, and 2 have to" in refused.stderr


def test_keys_are_good_for_the_time_that_is_said(folder, desk):
    times = ("--from", "2100-01-01T00:00:00Z", "--until", "4200000000")
    given = done("producer", "add", folder, "ci", "ci.pub", *times)
    assert "good from 2100-01-01T00:00:00Z, good until 2103-02-04T02:40:00Z" in given
    (key,) = keys_of(folder).values()
    assert (key["from_ms"], key["until_ms"]) == (4_102_444_800_000, 4_200_000_000_000)
    refused = provlog("append", folder, "signed")
    assert "good from 2100-01-01T00:00:00Z on" in refused.stderr


SECOND = "2100-01-01T00:00:00Z"


@pytest.mark.parametrize("until", [SECOND, "2099-12-31T00:00:00Z"])
def test_a_time_that_ends_before_it_begins_is_refused(folder, until):
    times = ("--from", SECOND, "--until", until)
    given = provlog("producer", "add", folder, "ci", "ci.pub", *times)
    assert (given.exit_code, given.stdout) == (1, "")
    assert f"from {SECOND} until {until}, which is not later" in given.stderr
    assert not owns(folder)
    done("producer", "add", folder, "ci", "ci.pub")


def test_a_time_that_is_over_is_refused(folder):
    given = provlog("producer", "add", folder, "ci", "ci.pub", "--until", "1700000000")
    assert (given.exit_code, given.stdout) == (2, "")
    assert "--until: 2023-11-14T22:13:20Z is over" in given.stderr
    assert not owns(folder)


def test_a_certificate_stands_for_those_that_it_issues(folder, desk):
    made = said("producer", "add", folder, "lab", "authority.pem")
    (key,) = made["keys"]
    assert (key["algorithm"], key["certificate"]) == (None, "CN=lab")
    assert "certificate" in done("producer", "list", folder)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["ci", "other.pub"], "there is a producer 'ci' already"),
        (["two", "ci.pub"], "is registered already, for ci"),
        (["two", "other.pub", "--issuer", ISSUER], "ci is known as issuer"),
        (["two", "other.pub", "other.pub"], "the same key stands there twice"),
        (["two", "other.pub", "--threshold", "2"], "the number of keys 1: at"),
        (["no name", "other.pub"], "a producer's name is"),
        (["two", "signed"], "keys are read as PEM, not as DER"),
        (["two", "private"], "a private key begins here"),
    ],
    ids=[
        *("name", "key", "issuer", "twice", "threshold", "no name", "no key"),
        "private",
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_entered(folder, desk, words, says):
    done("producer", "add", folder, "ci", "ci.pub", "--issuer", ISSUER)
    (desk / "private").write_text("-----BEGIN PRIVATE KEY-----\n")
    given = provlog("producer", "add", folder, *words)
    assert (given.exit_code, given.stdout) == (1, "")
    assert says in given.stderr
    assert len(owns(folder)) == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["add", "log", "ci"], "after LOG comes NAME KEYFILE..., not 'ci'"),
        (["add", "log"], "after LOG comes NAME KEYFILE..., not 'nothing'"),
        (["add", "log", "ci", "missing"], "missing: No such file or directory"),
        (["add", "log", "ci", "ci.pub", "--until", "soon"], "'soon' is no time"),
        (["rotate", "log", "ci", "ci.pub", "--overlap", "1w"], "such as 7d or 12h"),
        (["revoke", "log"], "after LOG comes NAME [KEYID]..., not 'nothing'"),
        (["revoke", "log", "ci", "--reason", "x" * 1025], "at most 1024 characters"),
        (["list", "log", "ci"], "after LOG comes nothing, not 'ci'"),
    ],
    ids=["no key", "no name", "file", "time", "overlap", "revoke", "reason", "list"],
)
def test_what_nobody_can_mean_is_not_begun(folder, words, says):
    given = provlog("producer", *words)
    assert given.exit_code == 2
    assert says in given.stderr
    assert not owns(folder)


def test_a_log_of_bytes_has_no_producers(new_log, desk):
    log = new_log()
    given = provlog("producer", "add", log.folder, "ci", "ci.pub")
    assert given.exit_code == 1
    assert "an opaque log takes no statements" in given.stderr
    assert said("producer", "list", log.folder)["producers"] == []


def test_where_there_is_no_log_there_are_no_producers(desk):
    for words in (["add", "void", "ci", "ci.pub"], ["list", "void"]):
        given = provlog("producer", *words)
        assert given.exit_code == 2
        assert "error: absent" in given.stderr
    assert not (desk / "void").exists()


def test_a_log_that_does_not_write_says_what_mends_it(folder):
    (folder / "key").rename(folder / "kept")
    given = provlog("producer", "add", folder, "ci", "ci.pub")
    (folder / "kept").rename(folder / "key")
    assert given.exit_code == 2
    assert "error: key_missing" in given.stderr
    assert "mend: put the log's key file" in given.stderr
    assert not owns(folder)


def test_a_log_that_somebody_writes_is_asked_over_the_network(folder):
    with start("append", folder, "--lines", "-") as writer:
        writer.stdin.write(record_text(1) + b"\n")
        writer.stdin.flush()
        assert writer.stdout.readline()
        given = provlog("producer", "add", folder, "ci", "ci.pub")
        assert given.exit_code == 2
        assert "error: locked: another process writes" in given.stderr
        assert "give its address in the place of the folder" in given.stderr
        assert "a token with the scope admin" in given.stderr
        assert said("producer", "list", folder)["producers"] == []
        writer.stdin.close()
        assert writer.wait(30) == 0


# Lists, and the register


def test_an_empty_list_says_how_to_begin(folder):
    given = provlog("producer", "list", folder)
    assert (given.exit_code, given.stdout) == (0, "")
    assert "provlog producer add LOG NAME KEYFILE" in given.stderr


def test_a_list_has_every_key_that_there_was(folder):
    done("producer", "add", folder, "z-last", "third.pub")
    done("producer", "add", folder, "ci", "ci.pub")
    done("producer", "rotate", folder, "ci", "other.pub", "--overlap", "12h")
    done("producer", "revoke", folder, "ci", IDS["ci.pub"], "--reason", "stolen")
    lines = done("producer", "list", folder).splitlines()
    assert [line for line in lines if line.startswith("producer")] == [
        "producer    ci",
        "producer    z-last",
    ]
    old, new = lines[1:3]
    assert re.fullmatch(
        f"key         ed25519 key {IDS['ci.pub']}, registered at entry 3, good until "
        r"20\d\d-.*Z, revoked at entry 5: stolen",
        old,
    )
    assert new == f"key         ed25519 key {IDS['other.pub']}, registered at entry 4"


@pytest.mark.parametrize("kind", ["record", "statement"])
def test_the_register_tells_an_auditor_whose_statement_something_is(
    new_log, desk, kind
):
    log = new_log(kind=kind)
    done("producer", "add", log.folder, "ci", "ci.pub")
    index = int(done("append", log.folder, "signed").split()[0])
    done("producer", "revoke", log.folder, "ci")
    assert said("producer", "list", log.folder, "--out", "known")["file"] == "known"
    done("get", log.folder, index, "--out", "given")
    policy = log.folder / "policy.txt"
    words = ("verify", "--policy", policy, "--producer", "known", "given")
    shown = done(*words)
    assert "producer    holds" in shown
    assert f"revoked since ({IDS['ci.pub']} at entry {index + 1})" in shown
    register = Register.parse((desk / "known").read_bytes())
    assert len(register.entries) == 2


# Other keys


def test_new_keys_take_the_place_of_those_that_there_are(folder, desk):
    done("producer", "add", folder, "ci", "ci.pub")
    made = said("producer", "rotate", folder, "ci", "other.pub", "--overlap", "0")
    assert (made["producer"], made["index"]) == ("ci", 3)
    assert [each["id"] for each in made["keys"]] == [IDS["other.pub"]]
    assert keys_of(folder)[IDS["ci.pub"]]["until_ms"] == made["until_ms"]
    assert "good until" in provlog("append", folder, "signed").stderr
    (desk / "new").write_bytes(sign1(maker=OTHER))
    assert done("append", folder, "new") == "4  new\n"


@pytest.mark.parametrize(
    ("options", "lasts"),
    [([], 7 * 24 * HOUR), (["--overlap", "12h"], 12 * HOUR)],
    ids=["default", "hours"],
)
def test_the_old_keys_are_good_for_a_while(folder, desk, options, lasts):
    before = said("producer", "add", folder, "ci", "ci.pub")["index"]
    words = ("producer", "rotate", folder, "ci", "other.pub", *options)
    given = done(*words)
    assert "old keys    good until 20" in given
    entry = json.loads(done("list", folder, "--json").splitlines()[before + 1])
    until = keys_of(folder)[IDS["ci.pub"]]["until_ms"]
    assert abs(until - entry["at"] - lasts) < HOUR
    assert done("append", folder, "signed")


def test_of_old_keys_that_have_ended_nothing_is_said(folder):
    done("producer", "add", folder, "ci", "ci.pub")
    done("producer", "rotate", folder, "ci", "other.pub", "--overlap", "0")
    done("producer", "revoke", folder, "ci", IDS["other.pub"])
    again = provlog("producer", "add", folder, "ci", "third.pub")
    assert "are revoked" in again.stderr
    assert "provlog producer rotate" in again.stderr
    given = done("producer", "rotate", folder, "ci", "third.pub")
    assert "old keys" not in given
    assert "entry       5" in given


def test_a_producer_who_is_not_there_gets_no_keys(folder):
    for words in (["rotate", "other.pub"], ["revoke", IDS["ci.pub"]], ["revoke"]):
        given = provlog("producer", words[0], folder, "ci", *words[1:])
        assert given.exit_code == 1
        assert "there is no producer 'ci'" in given.stderr


# Taking back


def test_keys_are_revoked_and_what_was_logged_stays(folder):
    done("producer", "add", folder, "ci", "ci.pub", "other.pub")
    given = provlog("producer", "revoke", folder, "ci", IDS["ci.pub"])
    assert given.stdout.splitlines() == [
        f"revoked     {IDS['ci.pub']} of ci",
        "entry       3",
    ]
    assert "what was logged before entry 3 stays valid" in given.stderr
    assert "was revoked at entry 3" in provlog("append", folder, "signed").stderr
    assert keys_of(folder)[IDS["other.pub"]]["revoked"] is None


def test_without_a_key_all_that_are_left_are_revoked(folder):
    done("producer", "add", folder, "ci", "ci.pub", "other.pub", "third.pub")
    done("producer", "revoke", folder, "ci", IDS["other.pub"])
    made = said("producer", "revoke", folder, "ci", "--reason", "he has left")
    assert set(made["ids"]) == {IDS["ci.pub"], IDS["third.pub"]}
    assert (made["index"], made["reason"]) == (4, "he has left")
    assert all(each["revoked"] for each in keys_of(folder).values())
    again = provlog("producer", "revoke", folder, "ci")
    assert again.exit_code == 1
    assert "has no key that is not revoked already" in again.stderr


def test_a_key_that_he_has_not_is_not_revoked(folder):
    done("producer", "add", folder, "ci", "ci.pub")
    given = provlog("producer", "revoke", folder, "ci", "0" * 16)
    assert given.exit_code == 1
    assert f"ci has no such key; it has {IDS['ci.pub']}" in given.stderr


# Over the network


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A service of a log that knows one producer, and wants tokens for writing."""
    with serving(
        tmp_path_factory.mktemp("served"),
        workers=0,
        kind="record",
        settings=SETTINGS,
        producers=[added()],
    ) as service:
        service.token = token_of(service, "admin")
        yield service


@pytest.fixture
def admin(served, desk, monkeypatch):
    monkeypatch.setenv("PROVLOG_TOKEN", served.token)
    monkeypatch.setenv("PROVLOG_POLICY", str(served.live.folder / "policy.txt"))
    return served.url


def listed(service):
    return {each["producer"] for each in said("producer", "list", service)["producers"]}


def test_a_service_is_told_with_an_admins_token(served, admin, desk):
    keys = made_keys(desk, "told", 4)
    made = said("producer", "add", admin, "told", keys[0])
    served.until(lambda: "told" in listed(admin))
    (key,) = keys_of(admin, "told").values()
    assert key["registered"] == made["index"]
    done("producer", "rotate", admin, "told", keys[1])
    served.until(lambda: len(keys_of(admin, "told")) == 2)
    done("producer", "revoke", admin, "told", "--reason", "over")
    served.until(lambda: all(x["revoked"] for x in keys_of(admin, "told").values()))


def made_keys(desk, name, *numbers):
    """Files with keys of which nobody else knows."""
    paths = []
    for number in (*numbers, *(each + 100 for each in numbers)):
        paths.append(desk / f"{name}{number}.pub")
        paths[-1].write_text(key_text(Maker(number=number).public))
    return paths


def test_the_log_behind_an_address_is_the_one_in_the_folder(served, admin):
    served.until(lambda: listed(admin) == listed(served.live.folder))
    assert said("producer", "list", admin) == said(
        "producer", "list", served.live.folder
    )


def test_its_register_is_one_for_an_auditor(served, admin, desk):
    done("producer", "list", admin, "--out", "known")
    data = (desk / "known").read_bytes()
    found = believed_producers({"known": data}, served.live.policy)
    assert found.get("ci").issuers == (ISSUER,)


@pytest.mark.parametrize("scope", [None, "submit"])
def test_nobody_else_may_say_who_signs(served, admin, monkeypatch, scope):
    monkeypatch.delenv("PROVLOG_TOKEN")
    if scope:
        monkeypatch.setenv("PROVLOG_TOKEN", token_of(served, scope))
    given = provlog("producer", "add", admin, "mallory", "other.pub")
    assert (given.exit_code, given.stdout) == (1, "")
    assert "scope admin" in given.stderr
    assert "mallory" not in listed(admin)


def test_what_the_log_refuses_is_refused_there_too(served, admin):
    given = provlog("producer", "add", admin, "ci", "other.pub")
    assert (given.exit_code, given.stdout) == (1, "")
    here = provlog("producer", "add", served.live.folder, "ci", "other.pub")
    assert "error: locked" in here.stderr
    assert "provlog: refused: there is a producer 'ci' already; " in given.stderr
    assert "provlog producer rotate" in given.stderr


def test_whom_to_believe_has_to_be_said(served, admin, monkeypatch):
    monkeypatch.delenv("PROVLOG_POLICY")
    for words in (["list", admin], ["revoke", admin, "ci"]):
        given = provlog("producer", *words)
        assert given.exit_code == 2
        assert "give --policy FILE or set PROVLOG_POLICY" in given.stderr


def test_a_register_of_somebody_else_is_not_listed(served, admin, desk):
    (desk / "policy").write_bytes(policy_text())
    given = provlog("producer", "list", admin, "--policy", "policy", "--out", "known")
    assert (given.exit_code, given.stdout) == (1, "")
    assert "error: the checkpoint is by the log" in given.stderr
    assert not (desk / "known").exists()


def test_who_asks_witnesses_is_told_that_none_has_seen_it(served, admin, desk):
    (desk / "policy").write_bytes(with_witness(served))
    given = provlog("producer", "list", admin, "--policy", "policy")
    assert given.exit_code == 0
    assert "not witnessed" in given.stderr


def test_who_believes_no_key_that_signs_the_kind_of_the_log_says_it(
    served, admin, desk
):
    (desk / "policy").write_bytes(other_key_only(served.live))
    listing = ("producer", "list", admin, "--policy", "policy")
    kind = ("--entries", served.live.charter.kind)
    # Only what is published has that key's signature.
    served.until(lambda: provlog(*listing, *kind).exit_code == 0)
    for words in (["list", admin], ["revoke", admin, "ci"]):
        given = provlog("producer", *words, "--policy", "policy")
        assert given.exit_code == 1
        assert "say so: --entries record" in given.stderr
    assert "ci" in done(*listing, *kind)


def test_an_option_for_the_folder_is_none_for_a_service(admin):
    words = ("producer", "add", admin, "x", "other.pub", "--without", "anybody")
    given = provlog(*words)
    assert given.exit_code == 2
    assert "--without is for a folder" in given.stderr


def test_a_log_without_producers_has_none_to_show(tmp_path, desk):
    with serving(tmp_path, workers=0) as service:
        policy = service.live.folder / "policy.txt"
        given = provlog("producer", "list", service.url, "--policy", policy)
        assert given.exit_code == 1
        assert "shows no producers: it answered 404" in given.stderr


ANSWERS = {
    "cut off": raw(b"HTTP/1.1 201 Created\r\nContent-Length: 9\r\n\r\n{"),
    "none": raw(b""),
    "a fault": answer(500, b"{}"),
    "a proxy": answer(503, b"<html>"),
}
LIES = {
    "no JSON": answer(201, b"<html>"),
    "no index": answer(201, b"{}"),
    "too long": answer(201, b" " * 100_000),
}


@pytest.fixture
def server(desk):
    made = Server(Posting)
    made.bodies = []
    with running(made) as started:
        yield started


@pytest.mark.parametrize("name", ANSWERS)
def test_what_may_have_been_done_is_said_to_be_unknown(server, name):
    server.behaviours = [ANSWERS[name]]
    given = provlog("producer", "add", server.prefix, "ci", "ci.pub")
    assert (given.exit_code, given.stdout) == (2, "")
    assert "it may have been done, and it may not" in given.stderr
    assert len(server.bodies) == 1


def test_who_is_not_there_has_done_nothing(desk):
    given = provlog("producer", "add", "http://127.0.0.1:1", "ci", "ci.pub")
    assert given.exit_code == 2
    assert "may have been done" not in given.stderr
    assert "hint: start it where it is" in given.stderr


def test_a_log_that_does_not_write_says_so(server):
    held = {"type": "/v1/problems#held", "title": "Held", "check": "held"}
    server.behaviours = [answer(503, json.dumps(held).encode())]
    given = provlog("producer", "add", server.prefix, "ci", "ci.pub")
    assert given.exit_code == 2
    assert "it answered 503 (Held)" in given.stderr
    assert "may have been done" not in given.stderr


@pytest.mark.parametrize("name", LIES)
def test_what_is_no_answer_is_none(server, name):
    server.behaviours = [LIES[name]]
    given = provlog("producer", "add", server.prefix, "ci", "ci.pub")
    assert (given.exit_code, given.stdout) == (1, "")


def test_what_is_sent_is_what_is_to_be_entered(server):
    server.behaviours = [answer(201, b'{"index": 7, "size": 8}')]
    made = said("producer", "add", server.prefix, "ci", "ci.pub", "authority.pem")
    assert made["index"] == 7
    own = own_of_json(json.loads(server.bodies[0]))
    credentials = [Credential.of_key(CI.public), Credential.of_certificate(LAB)]
    assert own == registry.add("ci", credentials)


SPOILED = {
    "an entry left out": lambda entries: [entries[0], *entries[2:]],
    "another order": lambda entries: entries[::-1],
    "an entry twice": lambda entries: [entries[0], *entries],
    "another index": lambda entries: [{**entries[0], "index": FIRST + 1}, *entries[1:]],
    "another entry": lambda entries: [
        {**entries[0], "entry": entries[1]["entry"]},
        *entries[1:],
    ],
}


@pytest.mark.parametrize("name", SPOILED)
def test_a_register_that_leaves_out_or_adds_something_is_not_listed(
    server, folder, desk, name
):
    done("producer", "add", folder, "ci", "ci.pub")
    done("producer", "revoke", folder, "ci")
    done("producer", "add", folder, "two", "other.pub")
    done("producer", "list", folder, "--out", "true")
    register = json.loads((desk / "true").read_bytes())
    policy = ("--policy", folder / "policy.txt")
    for change, status in ((list, 0), (SPOILED[name], 1)):
        spoiled = {**register, "entries": change(register["entries"])}
        server.behaviours = [answer(200, json.dumps(spoiled).encode())]
        given = provlog("producer", "list", server.prefix, *policy)
        assert given.exit_code == status, given.output


# Keys


@pytest.mark.parametrize(
    ("algorithm", "name"),
    [("ed25519", "ed25519"), ("ml-dsa-44", "ml-dsa-44"), ("p-256", "ecdsa-p256")],
)
def test_a_key_is_made_that_signs_and_is_registered(folder, desk, algorithm, name):
    made = said("producer", "key", "new.key", "--algorithm", algorithm)
    assert (made["algorithm"], made["file"]) == (name, "new.key")
    assert (desk / "new.key").stat().st_mode & 0o777 == 0o600
    (desk / "new.pub").write_text(made["public"])
    done("producer", "add", folder, "new", "new.pub")
    assert list(keys_of(folder, "new")) == [made["id"]]
    done("sign", "ci.pub", "--key", "new.key", "--out", "by-new")
    assert done("append", folder, "by-new") == "3  by-new\n"


def test_a_key_is_nobodys_but_the_one_that_was_made(desk):
    given = provlog("producer", "key", "new.key")
    assert given.stdout.startswith("-----BEGIN PUBLIC KEY-----\n")
    private = ProducerKey.parse((desk / "new.key").read_text())
    assert given.stdout == key_text(for_pem(private.public))
    assert "PRIVATE" not in given.output
    assert "provlog producer add LOG NAME PUBLICFILE" in given.stderr
    assert "ed25519" in done("producer", "key", "b.key", "--public", "b.pub")
    assert (desk / "b.pub").read_text() != given.stdout


def for_pem(key):
    """The key as PEM has it."""
    return parse_keys(key_text(key).encode())[0]


@pytest.mark.parametrize("there", ["new.key", "new.pub"])
def test_no_key_is_written_over(desk, there):
    (desk / there).write_bytes(b"the only copy")
    given = provlog("producer", "key", "new.key", "--public", "new.pub")
    assert given.exit_code == 2
    assert f"{there}: File exists" in given.stderr
    assert (desk / there).read_bytes() == b"the only copy"
    assert {each.name for each in desk.glob("new.*")} == {there}


@pytest.mark.parametrize(
    ("public", "says"),
    [
        ("new.key", "is where the private key goes"),
        ("./new.key", "is where the private key goes"),
        ("nowhere/new.pub", "nowhere: No such file or directory"),
    ],
)
def test_no_key_is_made_whose_public_half_has_no_place(desk, public, says):
    given = provlog("producer", "key", "new.key", "--public", public)
    assert given.exit_code == 2
    assert says in given.stderr
    assert not list(desk.glob("new*"))


def test_a_public_key_that_cannot_be_said_has_its_private_one(desk):
    given = shell("PROVLOG producer key new.key >/dev/full", desk)
    assert given.returncode == 2
    assert "new.key has the private key" in given.stderr
