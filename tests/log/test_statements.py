"""A statement enters if a registered producer has signed it, and by nothing else."""

from dataclasses import replace

import pytest

from ledger.clock import read_clock
from ledger.errors import Refused, Unavailable
from ledger.keys import registry
from ledger.log.home import Home
from ledger.log.identity import digest_identity, register_identity
from ledger.log.log import Log
from ledger.upkeep.continuing import begin_again
from ledger.upkeep.copies import backup
from ledger.upkeep.rows import right_rows, rows_of, wrong_rows
from tests.statements import (
    CI,
    IN_TOTO,
    ISSUER,
    OTHER,
    Maker,
    added,
    envelope,
    in_toto,
    sign1,
)
from verifier import cbor
from verifier.cose import Sign1, verify_sign1
from verifier.entry import MAX_BODY_BYTES, PREFIX_BYTES, Entry
from verifier.errors import MalformedError
from verifier.own import MEDIA_TYPE as OWN
from verifier.producers import Producers
from verifier.statement import COSE, DSSE
from verifier.tile import MAX_ENTRY_BYTES

BOTH = pytest.mark.parametrize("kind", ["record", "statement"])


@pytest.fixture
def log(new_log, kind):
    """A log of `kind` with one producer."""
    with new_log(kind=kind, signed=True).open() as opened:
        opened.register(added())
        yield opened


def admitted(log, data, by="s-1"):
    return log.admission.admit_statement(data, by=by)


def refused(log, data, by="s-1"):
    """The word for why `data` may not enter."""
    with pytest.raises(Refused) as caught:
        admitted(log, data, by=by)
    assert str(caught.value)
    return caught.value.check


def logged(log, data, by="s-1"):
    answer = log.submit([admitted(log, data, by=by)]).wait()
    (index,) = answer.indexes
    return index


# What is logged


@pytest.mark.parametrize("kind", ["statement"])
def test_a_statement_log_logs_the_statement_with_nothing_around_it(log):
    assert log.reading.entry(logged(log, sign1())) == sign1()


@pytest.mark.parametrize("kind", ["record"])
def test_a_record_log_says_who_handed_it_in_and_when(log):
    entry = Entry.parse(log.reading.entry(logged(log, sign1())))
    assert (entry.by, entry.type, entry.body) == ("s-1", COSE, sign1())
    envelope_ = envelope()
    entry = Entry.parse(log.reading.entry(logged(log, envelope_)))
    assert (entry.by, entry.type, entry.body) == ("s-1", DSSE, envelope_)


@BOTH
def test_the_unprotected_header_is_not_logged_and_makes_no_other_statement(log):
    first = admitted(log, sign1(unprotected={99: b"hint"}))
    assert first == admitted(log, sign1())
    assert first.identity == digest_identity("s-1", sign1())


@BOTH
def test_the_same_statement_again_has_its_index_and_from_another_it_is_another(log):
    index = logged(log, sign1())
    assert logged(log, sign1(unprotected={99: b"hint"})) == index
    assert logged(log, sign1(), by="s-2") == index + 1


@BOTH
def test_a_replayed_statement_stays_its_makers(log, kind):
    # Who hands it in is the one who hands it in, and signed it is by whom it is signed.
    data = admitted(log, sign1(), by="s-2").data
    assert (b"s-2" in data) == (kind == "record")
    assert sign1() in data


@BOTH
@pytest.mark.parametrize("alg", [-19, -8])
def test_both_names_of_ed25519_are_taken(log, alg):
    assert admitted(log, sign1(alg=alg))


@BOTH
@pytest.mark.parametrize("name", ["ml-dsa-44", "p-256"])
def test_the_other_kinds_of_keys_sign_as_well(log, name):
    maker = Maker(name)
    log.register(added(maker, name=name, issuers=()))
    assert admitted(log, sign1(maker=maker, issuer=name))
    if log.charter.kind == "record":
        assert admitted(log, envelope(b"other", maker))


# Whose it is


@BOTH
def test_without_a_producer_there_is_nobody_whose_statements_are_taken(new_log, kind):
    with new_log(kind=kind, signed=True).open() as log:
        assert refused(log, sign1()) == "producer"


@BOTH
def test_a_key_that_is_not_registered_signs_nothing(log):
    assert refused(log, sign1(maker=OTHER)) == "producer"


@BOTH
def test_a_changed_payload_is_nobodys(log):
    assert refused(log, sign1().replace(b"a payload", b"b payload")) == "producer"


@BOTH
def test_a_changed_header_is_nobodys(log):
    assert refused(log, sign1().replace(b"a subject", b"b subject")) == "producer"


@BOTH
def test_an_issuer_who_is_somebody_else_is_refused(log):
    log.register(added(OTHER, name="other", issuers=("https://other.example",)))
    stolen = sign1(maker=OTHER, issuer=ISSUER)
    assert refused(log, stolen) == "producer"
    assert refused(log, sign1(issuer="https://other.example")) == "producer"
    assert refused(log, sign1(issuer="https://third.example")) == "producer"


@BOTH
def test_a_key_that_was_revoked_signs_no_more(log):
    log.register(registry.revoke("ci", [CI.credential.id], "lost"))
    assert refused(log, sign1()) == "producer"


@BOTH
def test_after_a_rotation_old_keys_are_good_until_their_time(log):
    now = log.head.at or 0
    soon, later = 1, 2**52
    assert now < later
    log.register(registry.rotate("ci", [OTHER.credential], until_ms=later))
    assert admitted(log, sign1())
    assert admitted(log, sign1(maker=OTHER))
    third = Maker(number=3)
    log.register(registry.rotate("ci", [third.credential], until_ms=soon))
    assert refused(log, sign1()) == "producer"
    assert refused(log, sign1(maker=OTHER)) == "producer"
    assert admitted(log, sign1(maker=third))


@BOTH
def test_a_key_that_ends_before_the_batch_may_be_written_ends_now(log):
    soon = read_clock().wall_ms + 30_000
    log.register(registry.rotate("ci", [OTHER.credential], until_ms=soon))
    assert refused(log, sign1()) == "producer"


@BOTH
def test_a_key_is_good_from_its_first_time_on(log):
    credential = replace(OTHER.credential, from_ms=2**52)
    log.register(registry.add("later", [credential]))
    assert refused(log, sign1(maker=OTHER)) == "producer"


@BOTH
def test_what_was_admitted_before_a_revocation_is_not_logged_after_it(log):
    held = admitted(log, sign1())
    log.register(registry.revoke("ci", [CI.credential.id], "lost"))
    answer = log.submit([held]).wait()
    assert answer.indexes == [None]
    assert isinstance(answer.refused[0], Unavailable)


@BOTH
def test_what_is_logged_already_keeps_its_index_when_its_key_is_gone(log):
    held = admitted(log, sign1())
    index = logged(log, sign1())
    log.register(registry.revoke("ci", [CI.credential.id], "lost"))
    assert log.submit([held]).wait().indexes == [index]
    # Whoever has lost the answer, and hands it in again, is told as well.
    assert logged(log, sign1()) == index
    assert refused(log, sign1(), by="s-2") == "producer"
    assert refused(log, sign1(b"other")) == "producer"


@pytest.mark.parametrize("kind", ["record"])
def test_of_a_threshold_each_key_counts_once(log):
    third = Maker(number=3)
    log.register(added(OTHER, third, name="two", issuers=(), threshold=2))
    assert refused(log, envelope(b"x", OTHER)) == "producer"
    assert refused(log, envelope(b"x", OTHER, OTHER, OTHER)) == "producer"
    assert admitted(log, envelope(b"x", OTHER, third))


# What it has to be


@BOTH
@pytest.mark.parametrize(
    "data",
    [
        b"",
        sign1()[1:],
        sign1() + b"\x00",
        sign1().replace(b"\xd2", b"\xd8\x62", 1),
        cbor.encode(cbor.Tag(18, [b"", {}, b""]), tags={18}),
        cbor.encode(cbor.Tag(18, ["", {}, b"", b""]), tags={18}),
        cbor.encode(cbor.Tag(18, [b"", [], b"", b""]), tags={18}),
        cbor.encode(cbor.Tag(18, {}), tags={18}),
        b'{"payload": "AA=="}',
        b"[]",
        b"{" * 100_000,
    ],
    ids=[
        *("empty", "bare", "longer", "tag 98", "three", "text header", "list header"),
        *("map", "half an envelope", "list", "deep"),
    ],
)
def test_what_is_no_statement_is_refused(log, data):
    assert refused(log, data) == "form"


@BOTH
def test_a_detached_payload_is_refused_for_nobody_could_check_it(log):
    assert refused(log, sign1(None, detached=b"a payload")) == "payload"


@BOTH
@pytest.mark.parametrize("alg", [-7, -48, -257, -35, 5, "EdDSA"])
def test_an_algorithm_that_is_not_the_keys_is_refused(log, alg):
    assert refused(log, sign1(alg=alg)) in {"algorithm", "producer"}


@BOTH
def test_an_algorithm_in_the_header_that_nobody_signs_is_none(log):
    data = sign1(headers={1: None}, unprotected={1: -19})
    assert refused(log, data) == "algorithm"


@BOTH
def test_what_is_marked_as_critical_has_to_be_understood(log):
    assert admitted(log, sign1(headers={2: [15]}))
    assert refused(log, sign1(headers={2: [999], 999: 1})) == "form"
    assert refused(log, sign1(headers={2: [999]})) == "form"


@BOTH
def test_a_receipt_is_no_statement(log):
    assert refused(log, sign1(headers={395: 1})) == "form"


@BOTH
def test_only_the_log_speaks_as_the_log(log):
    assert refused(log, sign1(headers={3: OWN})) == "form"
    assert refused(log, sign1(issuer=log.charter.origin)) == "form"


@pytest.mark.parametrize("kind", ["statement"])
def test_a_scitt_statement_names_issuer_subject_and_type(log):
    assert refused(log, sign1(issuer=None)) == "form"
    assert refused(log, sign1(subject=None)) == "form"
    assert refused(log, sign1(headers={3: None})) == "form"


@pytest.mark.parametrize("kind", ["statement"])
def test_what_is_no_scitt_statement_is_told_how_one_is_made(log):
    for data in (b"a file", b"{}", sign1(issuer=None), sign1(subject=None)):
        with pytest.raises(Refused, match="provlog sign FILE --issuer NAME --subject"):
            admitted(log, data)
    with pytest.raises(Refused, match=r"of which type its payload is$"):
        admitted(log, sign1(headers={3: None}))
    with pytest.raises(Refused, match="goes into a record log"):
        admitted(log, envelope())


@pytest.mark.parametrize("kind", ["statement"])
def test_a_statement_log_takes_no_envelopes(log):
    assert refused(log, envelope()) == "form"


@pytest.mark.parametrize("kind", ["record"])
def test_what_says_that_it_is_in_toto_is(log):
    assert admitted(log, envelope(in_toto(), type_=IN_TOTO))
    assert refused(log, envelope(b"{}", type_=IN_TOTO)) == "form"
    broken = in_toto(predicate_type="https://slsa.dev/provenance/v1")
    assert refused(log, envelope(broken, type_=IN_TOTO)) == "form"


@BOTH
def test_a_log_may_take_some_types_only(new_log, kind):
    live = new_log(
        kind=kind, signed=True, settings='statement_types = ["text/plain"]\n'
    )
    with live.open() as log:
        log.register(added())
        assert admitted(log, sign1())
        assert refused(log, sign1(headers={3: "text/html"})) == "form"


@BOTH
def test_a_statement_has_at_most_the_bytes_that_an_entry_has_room_for(log, kind):
    most = MAX_ENTRY_BYTES if kind == "statement" else MAX_BODY_BYTES
    around = len(sign1(bytes(60_000))) - 60_000
    assert logged(log, sign1(bytes(most - around)))
    assert refused(log, sign1(bytes(most - around + 1))) == "size"


def test_an_opaque_log_takes_no_statements(new_log):
    with new_log().open() as log:
        assert refused(log, sign1()) == "form"
        with pytest.raises(Refused):
            log.register(added())


@pytest.mark.parametrize("by", ["log", "", "a b"])
@BOTH
def test_nobody_submits_as_the_log_or_as_nobody(log, by):
    assert refused(log, sign1(), by=by) == "by"


# What the log enters


@BOTH
def test_each_registration_is_an_entry_of_the_logs_own(log, kind):
    (index,) = log.registry.indexes()
    entry = log.reading.entry(index)
    if kind == "record":
        whole = Entry.parse(entry)
        assert (whole.by, whole.type) == ("log", OWN)
        assert len(entry) > PREFIX_BYTES
    else:
        verify_sign1(Sign1.parse(entry), log.keys[0].public_key)


@BOTH
@pytest.mark.parametrize(
    "own",
    [
        added(),
        added(OTHER),
        added(OTHER, name="a b"),
        added(OTHER, name="x", threshold=2, issuers=()),
        added(OTHER, name="x", threshold=0, issuers=()),
        added(name="x", issuers=()),
        added(OTHER, OTHER, name="x", issuers=()),
        added(OTHER, name="x", issuers=(ISSUER,)),
        added(OTHER, name="x", issuers=("",)),
        registry.rotate("nobody", [OTHER.credential], until_ms=1),
        registry.revoke("ci", ["0" * 16], ""),
        registry.revoke("ci", [], ""),
        {"kind": "producer.add", "producer": "x"},
    ],
    ids=[
        *("again", "same name", "bad name", "two of one", "none of one", "same key"),
        *("key twice", "same issuer", "empty issuer", "rotate nobody", "no such key"),
        *("no key", "half"),
    ],
)
def test_what_does_not_follow_is_not_entered(log, own):
    size = log.head.size
    with pytest.raises(Refused) as caught:
        log.register(own)
    assert caught.value.check == "registration"
    assert log.head.size == size


@BOTH
def test_the_register_is_read_again_from_the_log_alone(new_log, kind):
    live = new_log(kind=kind, signed=True)
    with live.open() as log:
        log.register(added())
        log.register(registry.rotate("ci", [OTHER.credential], until_ms=7))
    with live.open() as log:
        (producer,) = log.registry.current()
        assert [each.id for each in producer.credentials] == [
            CI.credential.id,
            OTHER.credential.id,
        ]
        assert producer.credentials[0].until_ms == 7


@BOTH
def test_a_row_that_leads_elsewhere_ends_no_silence(new_log, kind):
    live = new_log(kind=kind, signed=True)
    with live.open() as log:
        log.register(added())
        log.store.index([(register_identity(1), 0)], drop=False)
        fresh = log.registry
        with pytest.raises(Unavailable, match="fsck"):
            fresh.current()


def test_a_malformed_number_is_noticed():
    with pytest.raises(MalformedError, match="has to follow"):
        Producers().take({**added(), "number": 1}, 0)


@BOTH
def test_under_a_new_origin_the_producers_are_the_same(new_log, tmp_path, kind):
    live = new_log(kind=kind, signed=True)
    with live.open() as log:
        log.register(added())
    backup(live.folder, tmp_path / "backup")
    begin_again(tmp_path / "new", "log.example/new", tmp_path / "backup")
    with Log.open(tmp_path / "new") as log:
        assert admitted(log, sign1())
        assert refused(log, sign1(maker=OTHER)) == "producer"
        log.register(registry.revoke("ci", [CI.credential.id], "lost"))
        assert refused(log, sign1()) == "producer"


@BOTH
def test_the_rows_of_the_register_are_made_again_from_the_entries(new_log, kind):
    live = new_log(kind=kind, signed=True)
    with live.open() as log:
        log.register(added())
        log.submit([admitted(log, sign1())]).wait()
        size = log.head.size
    store = Home.at(live.folder).open_store(readonly=False)
    try:
        assert not list(wrong_rows(store, size))
        store.index([], drop=True)
        assert list(wrong_rows(store, size))
        again = (
            rows_of(store, size) if kind == "record" else right_rows(store, size, [])
        )
        store.index(again, drop=False)
    finally:
        store.close()
    with live.open() as log:
        assert len(log.registry.current()) == 1


@BOTH
def test_there_are_no_more_entries_about_producers_than_an_auditor_reads(
    new_log, kind, monkeypatch
):
    monkeypatch.setattr("ledger.log.registry.MAX_ENTRIES", 1)
    with new_log(kind=kind, signed=True).open() as log:
        log.register(added())
        with pytest.raises(Refused, match="has 1 entries about producers already"):
            log.register(added(OTHER, name="x", issuers=()))


@BOTH
def test_nor_more_bytes_of_them(new_log, kind, monkeypatch):
    monkeypatch.setattr(
        "ledger.log.registry.MAX_ENTRY_BYTES_IN_ALL", MAX_ENTRY_BYTES + 1
    )
    with new_log(kind=kind, signed=True).open() as log:
        log.register(added())
        with pytest.raises(Refused, match=r"already, of \d+ bytes"):
            log.register(added(OTHER, name="x", issuers=()))
