"""Attack: have a terminal, or who reads it, obey what is in a statement.

Issuers, subjects, types, key ids, the names of files and of certificates are texts of
strangers. Whatever command shows one, it shows it on its own line and as what it is:
nothing moves the cursor, turns the line round, or looks like another finding.
"""

import json
import re

import pytest

from ledger.keys import registry
from tests.attacks.test_statement_keys import bundled
from tests.authority import ed25519_key, issue
from tests.cli.operating import done, provlog
from tests.livelog import FIRST, LiveLog
from tests.statements import CI, IN_TOTO, OTHER, added, envelope, in_toto, sign1
from verifier.certificate import Certificate
from verifier.pem import key_text
from verifier.producers.credential import Credential

STATED = FIRST + 3
"""Where the first statement stands: behind three entries about producers."""
HOLDS = "producer    holds   signed by somebody else"
HOSTILE = (
    f"\x1b[2J\x1b]0;owned\x07\r\n{HOLDS}\n\x9b31m\x00\x7f\u202e\u2066\u200b\u2028"
    "\ufeff\U000e0041\u3164   x"
)
UNSAFE = re.compile(r"[^\S\n ]|[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e]")


def is_plain(text: str) -> bool:
    """Whether a terminal shows all of it as it is, and nobody takes it for another."""
    lines = text.split("\n")
    return (
        all(each.isprintable() or each == "\n" for each in text)
        and not UNSAFE.search(text)
        and not any(each.startswith(HOLDS) for each in lines)
        and "\u3164" not in text
    )


def slsa(**spoiled: str) -> bytes:
    said = {"builder": "https://b.example", "type": "https://t.example"} | spoiled
    predicate = {
        "buildDefinition": {
            "buildType": said["type"],
            "externalParameters": {HOSTILE: HOSTILE},
        },
        "runDetails": {
            "builder": {"id": said["builder"]},
            "metadata": {"invocationId": HOSTILE},
        },
    }
    return in_toto(
        predicate_type="https://slsa.dev/provenance/v1",
        predicate=predicate,
        subject=[{"name": HOSTILE, "digest": {"sha256": "5" * 64}}],
    )


def keyed(data: bytes) -> bytes:
    document = json.loads(data)
    document["signatures"][0]["keyid"] = HOSTILE
    return json.dumps(document).encode()


# By the hex of each byte, so that it is no list of names.
STRANGE = issue(
    "O=" + "".join(f"\\{each:02x}" for each in HOSTILE.encode()), ed25519_key(3)
)
MADE = {
    "issuer": sign1(issuer=HOSTILE),
    "subject": sign1(subject=HOSTILE),
    "content_type": sign1(headers={3: HOSTILE}),
    "location": sign1(bytes(32), headers={3: None, 258: -16, 260: HOSTILE}),
    "preimage_type": sign1(bytes(32), headers={3: None, 258: -16, 259: HOSTILE}),
    "kid": sign1(headers={4: HOSTILE.encode()}),
    "another_header": sign1(headers={HOSTILE: HOSTILE}),
    "unprotected": sign1(unprotected={HOSTILE: HOSTILE}),
    "payload": sign1(HOSTILE.encode()),
    "payload_type": envelope(HOSTILE.encode(), type_=HOSTILE),
    "keyid": keyed(envelope()),
    "predicate_type": envelope(in_toto(predicate_type=HOSTILE), type_=IN_TOTO),
    "builder": envelope(slsa(builder=HOSTILE), type_=IN_TOTO),
    "build_type": envelope(slsa(type=HOSTILE), type_=IN_TOTO),
    "certificate": bundled(envelope(b"x"), STRANGE),
}


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    """A record log that has all of them, from producers with such names as well."""
    folder = tmp_path_factory.mktemp("text")
    made = LiveLog(folder / "log", kind="record", signed=True)
    by_certificate = [Credential.of_certificate(Certificate.parse(STRANGE.der))]
    with made.open() as log:
        log.register(added(issuers=(HOSTILE, "https://ci.example")))
        log.register(registry.add("strange", by_certificate))
        log.register(registry.revoke("strange", [by_certificate[0].id], HOSTILE))
        for data in MADE.values():
            log.submit([log.admission.admit_statement(data, by="s-1")]).wait()
    yield made
    made.check()


def said(*words: object, ends: int = 0) -> str:
    """All that a command writes."""
    given = provlog(*words)
    assert given.exit_code == ends, given.output
    return given.stdout + given.stderr


@pytest.mark.parametrize("case", MADE)
def test_inspecting_a_statement_is_harmless(case, tmp_path):
    file = tmp_path / "statement"
    file.write_bytes(MADE[case])
    assert is_plain(said("inspect", file))
    assert is_plain(done("inspect", file, "--json"))


def test_what_it_says_is_still_to_be_read(tmp_path):
    file = tmp_path / "statement"
    file.write_bytes(MADE["issuer"])
    assert r"\x1b]0;owned" in said("inspect", file).replace("\\\\", "\\")


def test_what_is_plain_is_known_by_this_test():
    for each in HOSTILE.replace("x", "").replace(" ", ""):
        if not each.isascii() or not each.isprintable():
            assert not is_plain(f"a{each}b") or each == "\n"
    assert not is_plain(f"a\n{HOLDS}")
    assert is_plain("statement           COSE_Sign1\nsignature           64 bytes")


def test_listing_a_log_and_its_producers_is_harmless(live):
    listed = said("list", live.folder)
    assert is_plain(listed)
    assert len(listed.strip().split("\n")) >= len(MADE)
    assert is_plain(said("list", live.folder, "--json"))
    assert is_plain(said("producer", "list", live.folder))
    assert is_plain(said("producer", "list", live.folder, "--json"))


@pytest.mark.parametrize("case", MADE)
def test_verifying_a_bundle_is_harmless(live, case, tmp_path):
    index = STATED + [*MADE].index(case)
    bundle, keys = tmp_path / "bundle", tmp_path / "ci.pub"
    done("get", live.folder, index, "--out", bundle)
    keys.write_text(key_text(CI.public))
    policy = live.folder / "policy.txt"
    asked = ("verify", "--policy", policy, "--producer", keys, bundle)
    assert is_plain(said(*asked))
    assert is_plain(said(*asked, "--json"))
    assert is_plain(said("inspect", bundle))
    keys.write_text(key_text(OTHER.public))
    assert is_plain(said(*asked, ends=1))


def test_verifying_with_a_register_is_harmless(live, tmp_path):
    register, bundle = tmp_path / "register", tmp_path / "bundle"
    done("producer", "list", live.folder, "--out", register)
    assert is_plain(said("inspect", register))
    policy = live.folder / "policy.txt"
    for case in ("issuer", "certificate"):
        done("get", live.folder, STATED + [*MADE].index(case), "--out", bundle)
        said_ = provlog("verify", "--policy", policy, "--producer", register, bundle)
        assert is_plain(said_.stdout + said_.stderr)
        bundle.unlink()


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """The folder of a log that knows nobody."""
    folder = tmp_path_factory.mktemp("empty") / "log"
    return LiveLog(folder, kind="record", signed=True).folder


@pytest.mark.parametrize("case", MADE)
def test_refusing_a_statement_is_harmless(empty, case, tmp_path):
    file = tmp_path / "statement"
    file.write_bytes(MADE[case])
    assert is_plain(said("append", empty, file, ends=1))


def test_refusing_a_producer_is_harmless(new_log, tmp_path):
    folder = new_log(kind="record", signed=True).folder
    file = tmp_path / "strange.pem"
    file.write_text(STRANGE.pem)
    assert is_plain(said("producer", "add", folder, "x", file, "--issuer", HOSTILE))
    assert is_plain(said("producer", "add", folder, "y", file, ends=1))
    file.write_text(key_text(CI.public))
    again = ("producer", "add", folder, "y", file, "--issuer", HOSTILE)
    assert is_plain(said(*again, ends=1))
    file.write_text(HOSTILE)
    assert is_plain(said("producer", "add", folder, "z", file, ends=1))
