"""securesystemslib's envelopes are admitted and shown right, and it verifies ours.

It is what in-toto's and TUF's Python tools sign with. A threshold means the same to
both, but for what its key ids decide, and ours do not: that is said where it is so.
"""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from securesystemslib.dsse import Envelope as ItsEnvelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner, Key, SSlibKey

from ledger.keys.attesting import add_signature, make_dsse
from ledger.keys.producerkey import ProducerKey
from tests.cli.operating import done
from tests.hosted import hosted, logged, shown, submit
from tests.statements import IN_TOTO
from tests.strangers.foreignkeys import ForeignKey, ed25519_key, p256_key, producer
from verifier.entry import Entry
from verifier.errors import MalformedError, ProducerError
from verifier.pem import key_id
from verifier.producers import Producers
from verifier.producers.attribution import verify_statement
from verifier.statement import Statement

KEYS = {"Ed25519": ed25519_key(), "P-256": p256_key()}
ONE, TWO, THIRD = (ed25519_key(number) for number in (1, 2, 3))
DIGEST = "ab" * 32


def slsa(digest: str = DIGEST) -> bytes:
    """A provenance statement, as a builder of SLSA writes one."""
    predicate = {
        "buildDefinition": {
            "buildType": "https://builds.example/train/v1",
            "externalParameters": {"epochs": 3, "rate": 1e-4},
            "resolvedDependencies": [{"uri": "git+https://code.example/model"}],
        },
        "runDetails": {
            "builder": {"id": "https://builds.example/runner"},
            "metadata": {"invocationId": "run-7", "startedOn": "2026-11-20T10:00:00Z"},
        },
    }
    document = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "weights.bin", "digest": {"sha256": digest}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": predicate,
    }
    return json.dumps(document, indent=2).encode()


def enveloped(*keys: ForeignKey, payload: bytes = slsa(), type_: str = IN_TOTO):
    """An envelope that securesystemslib signs with each of `keys`."""
    made = ItsEnvelope(payload, type_, {})
    for each in keys:
        made.sign(CryptoSigner(each.private))
    return made


def text(made: ItsEnvelope) -> bytes:
    return json.dumps(made.to_dict()).encode()


def its_keys(*keys: ForeignKey, ours: bool = False) -> list[Key]:
    """The public halves, by its own key ids, or by `ours`."""
    return [
        SSlibKey.from_crypto(
            each.private.public_key(), keyid=key_id(each.public) if ours else None
        )
        for each in keys
    ]


# In a log


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A record log, which knows each kind of key, and somebody with three."""
    folder = tmp_path_factory.mktemp("envelopes")
    builder = producer("builder", *KEYS.values())
    release = producer("release", TWO, THIRD, threshold=2)
    with hosted(folder, builder, release, kind="record") as made:
        yield made


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", KEYS)
def test_what_it_signs_is_admitted_and_shown_right(service, name, tmp_path):
    data = text(enveloped(KEYS[name]))
    index = logged(service, data)
    said, payload = shown(service, index)["statement"]
    assert said["payload_type"] == IN_TOTO
    assert payload["predicate"] == "slsa-provenance"
    assert payload["subjects"] == [f"sha256:{DIGEST}"]
    assert (
        payload["slsa-provenance"]
        | {
            "builder": "https://builds.example/runner",
            "build_type": "https://builds.example/train/v1",
            "dependencies": 1,
            "invocation": "run-7",
            "started": "2026-11-20T10:00:00Z",
        }
        == payload["slsa-provenance"]
    )
    entry = service.get(f"/v1/entries/{index}").body
    assert Entry.parse(entry).body == data
    (tmp_path / "entry").write_bytes(entry)
    told = done("inspect", tmp_path / "entry")
    for each in ("DSSE envelope", "https://builds.example/runner", DIGEST):
        assert each in told


@pytest.mark.exhaustive
def test_what_a_log_gives_out_it_verifies_still(service):
    data = text(enveloped(*KEYS.values(), payload=slsa("cd" * 32)))
    entry = Entry.parse(service.get(f"/v1/entries/{logged(service, data)}").body)
    again = ItsEnvelope.from_dict(json.loads(entry.body))
    assert len(again.verify(its_keys(*KEYS.values()), 2)) == 2


@pytest.mark.exhaustive
def test_a_log_asks_for_as_many_keys_as_it_would(service):
    alone = text(enveloped(TWO))
    answer = submit(service, alone)
    assert (answer.status, answer.json["check"]) == (403, "producer")
    assert submit(service, text(enveloped(ONE, payload=b"x"))).status == 422
    assert logged(service, text(enveloped(TWO, THIRD)))


# Its own verifier


@pytest.mark.parametrize("name", KEYS)
def test_it_verifies_what_we_sign(name):
    maker = ProducerKey.parse(KEYS[name].pem.decode())
    made = ItsEnvelope.from_dict(json.loads(make_dsse([maker], slsa(), IN_TOTO)))
    assert (made.payload, made.payload_type) == (slsa(), IN_TOTO)
    keys = its_keys(KEYS[name], ours=True)
    assert made.verify(keys, 1) == {key_id(KEYS[name].public): keys[0]}
    made.payload += b" "
    with pytest.raises(VerificationError):
        made.verify(keys, 1)


def test_it_counts_the_signature_that_we_add():
    first, second = (ProducerKey.parse(each.pem.decode()) for each in (ONE, TWO))
    ours = add_signature(second, make_dsse([first], slsa(), IN_TOTO))
    made = ItsEnvelope.from_dict(json.loads(ours))
    assert len(made.verify(its_keys(ONE, TWO, ours=True), 2)) == 2


def test_what_it_has_signed_we_can_sign_as_well():
    maker = ProducerKey.parse(TWO.pem.decode())
    both = add_signature(maker, text(enveloped(ONE)))
    keys = [*its_keys(ONE), *its_keys(TWO, ours=True)]
    assert len(ItsEnvelope.from_dict(json.loads(both)).verify(keys, 2)) == 2


# Thresholds


def theirs(made: bytes, keys: list[Key], threshold: int) -> bool:
    try:
        ItsEnvelope.from_dict(json.loads(made)).verify(keys, threshold)
    except (VerificationError, ValueError, KeyError):
        return False
    return True


def ours(made: bytes, keys: tuple[ForeignKey, ...], threshold: int) -> bool:
    producers = Producers()
    own = producer("they", *keys, threshold=threshold)
    try:
        producers.take({**own, "number": 0}, 0)
        verify_statement(Statement.parse(made), producers)
    except (MalformedError, ProducerError):
        return False
    return True


def again(made: bytes, at: int = 0, **changed: str) -> bytes:
    """The envelope with one of its signatures a second time, with changes."""
    document = json.loads(made)
    document["signatures"].append(document["signatures"][at] | changed)
    return json.dumps(document).encode()


def named(made: bytes, keyid: str) -> bytes:
    document = json.loads(made)
    document["signatures"][0]["keyid"] = keyid
    return json.dumps(document).encode()


PAIR, TRIO = (ONE, TWO), (ONE, TWO, THIRD)
BY_ONE, BY_TWO = text(enveloped(ONE)), text(enveloped(ONE, TWO))
OTHER = json.loads(text(enveloped(ONE, payload=b"other")))["signatures"][0]["sig"]
SAME = {
    "one_of_one": (BY_ONE, (ONE,), 1, True),
    "one_of_two": (BY_ONE, PAIR, 1, True),
    "the_other_of_two": (BY_ONE, (TWO,), 1, False),
    "one_where_two_have_to": (BY_ONE, PAIR, 2, False),
    "two_of_two": (BY_TWO, PAIR, 2, True),
    "two_of_three": (BY_TWO, TRIO, 2, True),
    "two_where_three_have_to": (BY_TWO, TRIO, 3, False),
    "more_than_there_are_keys": (BY_TWO, PAIR, 3, False),
    "nobody_has_to": (BY_ONE, PAIR, 0, False),
    "one_twice_where_two_have_to": (again(BY_ONE), PAIR, 2, False),
    "one_and_of_something_else": (
        again(BY_ONE, sig=OTHER, keyid=its_keys(TWO)[0].keyid),
        PAIR,
        2,
        False,
    ),
    "one_and_under_the_id_of_another": (
        again(BY_ONE, keyid=its_keys(TWO)[0].keyid),
        PAIR,
        2,
        False,
    ),
    "p_256_and_ed25519": (text(enveloped(*KEYS.values())), (*KEYS.values(),), 2, True),
}


@pytest.mark.parametrize("case", SAME)
def test_a_threshold_means_the_same(case):
    made, keys, threshold, wanted = SAME[case]
    assert theirs(made, its_keys(*keys), threshold) is wanted
    assert ours(made, keys, threshold) is wanted


def test_a_key_under_two_ids_is_two_to_it_and_one_here():
    # Its keys are by what they are called; a threshold of ours counts keys.
    twice = again(BY_ONE, keyid="an alias")
    alias = SSlibKey.from_crypto(ONE.private.public_key(), keyid="an alias")
    assert theirs(twice, [*its_keys(ONE), alias], 2)
    assert not ours(twice, PAIR, 2)


@pytest.mark.parametrize(
    "made", [named(BY_ONE, "another"), named(BY_ONE, ""), again(BY_ONE)]
)
def test_a_key_id_decides_for_it_and_is_a_hint_here(made):
    # DSSE calls it a hint; nor is one signature too many a reason to take none.
    assert not theirs(made, its_keys(ONE), 1)
    assert ours(made, (ONE,), 1)


def test_base64_of_two_alphabets_is_read_by_both():
    payload = b"\xfb\xff" * 9
    made = enveloped(ONE, payload=payload, type_="application/octet-stream").to_dict()
    safe = str(made["payload"]).translate(str.maketrans("+/", "-_"))
    assert safe != made["payload"]
    both = json.dumps(made | {"payload": safe}).encode()
    assert theirs(both, its_keys(ONE), 1)
    assert ours(both, (ONE,), 1)


def test_its_signatures_of_ml_dsa_are_over_something_else():
    # TUF's proposal hashes first; DSSE has no such thing, nor have we.
    key = ForeignKey(MLDSA44PrivateKey.from_seed_bytes(bytes(32)))
    made = enveloped(key)
    assert made.verify(its_keys(key), 1)
    assert not ours(text(made), (key,), 1)
    maker = ProducerKey.parse(key.pem.decode())
    mine = make_dsse([maker], slsa(), IN_TOTO)
    assert ours(mine, (key,), 1)
    assert not theirs(mine, its_keys(key, ours=True), 1)
