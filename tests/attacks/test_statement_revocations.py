"""Attack: have something logged with a key that is revoked at this very moment.

A statement is looked at before it waits for its batch, by what was known of the
producers then. Whoever has stolen a key hands in as much as he can while it is being
revoked: no entry of that key stands behind the entry that says so. (Threats: a race
between admission and commit, a list that changes while somebody reads it.)
"""

import json
import threading
from itertools import count

import pytest

from ledger.errors import Refused, Unavailable
from ledger.keys import registry
from tests.attacks.wire import bearing, quiet, token_of
from tests.hosted import hosted, submit
from tests.livelog import FIRST
from tests.statements import CI, Maker, added, sign1
from verifier.cose import Sign1
from verifier.entry import Entry
from verifier.errors import ProducerError
from verifier.producers.attribution import verify_statement
from verifier.producers.register import Register, verify_register
from verifier.statement import Statement

ROUNDS = 4
THIEVES = 8
BOTH = pytest.mark.parametrize("kind", ["record", "statement"])


# In one process


@BOTH
def test_what_was_admitted_and_waits_is_not_logged_behind_a_revocation(new_log, kind):
    with new_log(kind=kind, signed=True).open() as log:
        log.register(added())
        admit = log.admission.admit_statement
        held = [admit(sign1(b"%d" % n), by=f"s-{n}") for n in range(3)]
        log.register(registry.revoke("ci", [CI.credential.id], "stolen"))
        revoked = log.head.size - 1
        # One after the other, and all at once with a good one of somebody else's.
        other = Maker(number=5)
        log.register(added(other, name="other", issuers=()))
        good = admit(sign1(maker=other, issuer="x"), by="s-9")
        for order in (held[:1], held, [*held, good]):
            answer = log.submit(order).wait()
            assert answer.indexes[: len(order) - (good in order)] == (
                [None] * (len(order) - (good in order))
            )
            assert all(isinstance(x, Unavailable) for x in answer.refused.values())
        assert log.head.size == revoked + 3
        with pytest.raises(Refused):
            admit(sign1(b"later"), by="s-1")


@BOTH
def test_in_one_batch_a_revocation_is_before_all_that_follows(new_log, kind):
    with new_log(kind=kind, signed=True).open() as log:
        log.register(added())

        def steal(number: int) -> None:
            for turn in count():
                data = sign1(b"%d of %d" % (turn, number))
                try:
                    one = log.admission.admit_statement(data, by=f"s-{number}")
                    log.submit([one]).wait()
                except Refused:
                    return

        thieves = [threading.Thread(target=steal, args=(n,)) for n in range(3)]
        for each in thieves:
            each.start()
        while log.head.size < 20:
            pass
        log.register(registry.revoke("ci", [CI.credential.id], "stolen"))
        for each in thieves:
            each.join()
        assert_none_behind([log.reading.entry(n) for n in range(log.head.size)], kind)


def test_who_reads_the_producers_does_not_see_them_change(new_log):
    # One thread looks through them for whose statement it is, and another one has come
    # to know of a new producer meanwhile.
    with new_log(kind="record", signed=True).open() as log:
        log.register(added())
        before = log.registry.current()
        looking = iter(before)
        assert next(looking).name == "ci"
        log.register(added(Maker(number=5), name="other", issuers=()))
        log.register(registry.revoke("ci", [CI.credential.id], "stolen"))
        assert len(log.registry.current()) == 2
        assert log.registry.indexes() == [FIRST, FIRST + 1, FIRST + 2]
        assert [*looking] == []
        # All of what was taken together: the number, and what it stands for.
        assert before.number == 1
        assert before.get("ci").credentials[0].revoked is None
        assert before.hinted(Maker(number=5).credential.id.encode()) is None
        assert before.holder(Maker(number=5).public) is None
        assert log.registry.current().holder(Maker(number=5).public)


# In a service


def assert_none_behind(entries: list[bytes], kind: str) -> None:
    """Return if no entry that a key has signed stands behind its revocation."""
    revoked: dict[bytes, int] = {}
    makers = {x.credential.id: x.public for x in MAKERS}
    for index, data in enumerate(entries):
        body = data
        if kind == "record":
            entry = Entry.parse(data)
            body = entry.body
            if entry.by == "log":
                for id_ in ids_in(body):
                    revoked.setdefault(makers[id_].raw, index)
                continue
        message = Sign1.parse(body)
        if b"provlog.log+cbor" in message.protected:
            for id_ in ids_in(message.payload or b""):
                revoked.setdefault(makers[id_].raw, index)
            continue
        for key in Statement.parse(body).signers(x.public for x in MAKERS):
            assert key.raw not in revoked, (index, revoked[key.raw])
    assert revoked


def ids_in(body: bytes) -> list[str]:
    """The ids of keys that an entry of the log's own revokes."""
    if b"producer.revoke" not in body:
        return []
    return [each for each in MAKER_IDS if each.encode() in body]


MAKERS = [CI, *(Maker(number=100 + n) for n in range(ROUNDS))]
MAKER_IDS = [each.credential.id for each in MAKERS]


@pytest.fixture(params=["record", "statement"])
def service(request, tmp_path):
    """A log with a producer for each round, and two front ends."""
    owns = [added(each, name=f"p{n}", issuers=()) for n, each in enumerate(MAKERS)]
    with hosted(tmp_path, *owns, kind=request.param, workers=2) as made:
        made.token = {"Authorization": bearing(token_of(made, "submit"))}
        made.admin = {"Authorization": bearing(token_of(made, "admin"))}
        yield made
        assert quiet(made)


@pytest.mark.exhaustive
def test_of_many_thieves_none_is_logged_behind_the_revocation(service):
    taken: list[int] = []
    for number, maker in enumerate(MAKERS):
        begun = threading.Barrier(THIEVES + 1)
        threads = [
            threading.Thread(target=thief, args=(service, maker, n, begun, taken))
            for n in range(THIEVES)
        ]
        for each in threads:
            each.start()
        begun.wait()
        before = len(taken)
        while len(taken) < before + THIEVES:
            # Others read meanwhile: the list is what changes under the admission.
            assert service.get("/v1/producers").status == 200
        own = registry.revoke(f"p{number}", [maker.credential.id], "stolen")
        answer = service.post(
            "/v1/producers", json.dumps(own).encode(), **service.admin
        )
        assert answer.status == 201, answer
        for each in threads:
            each.join()
    size = service.ask("GET", "/healthz", operations=True).json["size"]
    entries = [service.get(f"/v1/entries/{n}").body for n in range(size)]
    kind = service.live.charter.kind
    assert_none_behind(entries, kind)
    assert len(taken) >= THIEVES * len(MAKERS)
    # And an auditor, who has the register, thinks the same of each.
    listed = Register.parse(service.get("/v1/producers").body)
    producers = verify_register(listed, service.live.policy)
    for index in taken:
        body = Entry.parse(entries[index]).body if kind == "record" else entries[index]
        assert verify_statement(Statement.parse(body), producers, index=index)
    with pytest.raises(ProducerError):
        verify_statement(Statement.parse(body), producers, index=size)


def thief(service, maker, number, begun, taken) -> None:
    """Hand in one statement after the other, until none is taken any more."""
    begun.wait()
    for turn in count():
        data = sign1(b"%d of %d" % (turn, number), maker=maker, issuer="x")
        answer = submit(service, data, **service.token)
        if answer.status == 403:
            return
        if answer.status in (200, 201):
            taken.append(answer.json["index"])
        else:
            assert answer.status == 503, answer
