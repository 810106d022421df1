"""Attack: a front end that was taken over says of producers what nobody said.

It speaks for whoever it lets in, and so it can enter a producer; that is told by the
log's own entry. It cannot write what the log says of itself, put something in the place
of such an entry, leave one that nobody can read, or keep the writer from the others.
"""

import asyncio
import socket

import pytest

from ledger.errors import Refused
from ledger.keys import registry
from ledger.log.identity import register_identity
from ledger.metrics.counts import Counts
from ledger.server.counterpart import Counterpart
from ledger.server.messages import Handed, Registering, framed
from tests.attacks.test_statement_registers import own_statement
from tests.faults.test_service_link import desk_of, linked
from tests.statements import CI, OTHER, Maker, added, sign1
from verifier import cbor
from verifier.entry import LOG, MAX_BODY_BYTES, PREFIX_BYTES, untimed
from verifier.own import MEDIA_TYPE, encode_own
from verifier.tile import MAX_ENTRY_BYTES

pytestmark = pytest.mark.parametrize("kind", ["record", "statement"])
THIEF = added(OTHER, name="thief", issuers=())
FREEZE = {"kind": "freeze", "reason": "the end"}
ROTATE = {"kind": "key.rotate", "keys": ["log.example/thief+00000000+AAAA"]}


@pytest.fixture
def log(new_log, kind):
    """A log in which ci may sign, opened for writing."""
    with new_log(kind=kind, signed=True).open() as opened:
        opened.register(added())
        yield opened


def told(log, *sayings: bytes) -> None:
    """Say each of `sayings` to the writer by a link of its own, and another is served.

    Nothing of them is entered, and the writer goes on.
    """

    async def say(desk, frames: bytes) -> None:
        ours, theirs = socket.socketpair()
        served = asyncio.create_task(Counterpart(desk, Counts(), "it").serve(theirs))
        with ours:
            await asyncio.to_thread(ours.sendall, frames)
            ours.shutdown(socket.SHUT_WR)
            await asyncio.wait_for(served, 20)

    async def main() -> None:
        desk, number = desk_of(log), 0
        async with linked(desk, log.home.config) as link:
            for number, frames in enumerate(sayings):
                before = log.head.size
                await say(desk, frames)
                good = sign1(b"another's, number %d" % number)
                admitted = log.admission.admit_statement(good, by="s-2")
                answer = await link.hand_in([admitted])
                assert answer.indexes == [before], frames[:60]

    asyncio.run(main())


def asked(log, *owns: object) -> list[object]:
    """What a front end is answered that has the writer register each of `owns`."""

    async def main() -> list[object]:
        async with linked(desk_of(log), log.home.config) as link:
            return [
                *await asyncio.gather(
                    *(link.register(own) for own in owns), return_exceptions=True
                )
            ]

    return asyncio.run(main())


def registering(own: object) -> bytes:
    return framed(Registering(1, cbor.encode(own)))


def names(log) -> list[str]:
    return [each.name for each in log.registry.current()]


# What is said of producers


FORGED = {
    "the_end": FREEZE,
    "other_keys_of_the_log": ROTATE,
    "a_beginning": {"kind": "genesis", "origin": "log.example/x"},
    "of_no_kind": {},
    "of_a_kind_to_come": {"kind": "producer.trust", "producer": "ci"},
    "a_kind_that_is_no_text": {"kind": 5},
    "a_producer_that_is_there": added(OTHER, name="ci"),
    "a_key_of_another": added(CI, name="thief", issuers=()),
    "an_issuer_of_another": added(OTHER, name="thief"),
    "keys_that_are_none": {**THIEF, "keys": [{"algorithm": "none", "key": b""}]},
    "nobody_has_to_sign": {**THIEF, "threshold": 0},
    "a_key_that_nobody_has": registry.revoke("ci", ["0" * 16], ""),
    "a_name_for_a_terminal": {**THIEF, "producer": "\x1b[2J"},
    "a_reason_of_64_kB": registry.revoke("ci", [CI.credential.id], "x" * 65_000),
}


def test_what_does_not_follow_is_not_entered_and_is_told_why(log):
    before = log.head.size
    answers = asked(log, *FORGED.values())
    for case, answer in zip(FORGED, answers, strict=True):
        assert isinstance(answer, Refused), (case, answer)
        assert answer.check in ("registration", "size"), case
    assert log.head.size == before
    assert names(log) == ["ci"]
    assert log.registry.current().get("ci").credentials[0].revoked is None


GARBLED = {
    "no_cbor": framed(Registering(1, b"\xff")),
    "no_map": registering([1, 2]),
    "a_text": registering("producer.add"),
    "nothing": framed(Registering(1, b"")),
    "two_maps": framed(Registering(1, b"\xa0\xa0")),
    "deep": framed(Registering(1, b"\xa1\x61a" * 50_000 + b"\xa0")),
    "wide": framed(Registering(1, b"\x9a\x00\x00\xf0\x00" + b"\xa0" * 0xF000)),
    "half_a_megabyte": framed(
        Registering(1, b"\x7a\x00\x08\x00\x00" + b"x" * (1 << 19))
    ),
    "a_fraction": framed(Registering(1, b"\xa1\x64kind\xfb" + bytes(8))),
}


def test_what_is_no_message_about_producers_ends_the_link_and_nothing_else(log):
    told(log, *(each + registering(THIEF) for each in GARBLED.values()))
    assert names(log) == ["ci"]


def test_whatever_number_it_brings_the_writer_gives_the_next(log):
    for place, number in enumerate((0, 7, -1, 2**63, "x"), start=3):
        maker = Maker(number=place)
        own = added(maker, name=f"p{place}", issuers=())
        (answer,) = asked(log, {**own, "number": number})
        assert not isinstance(answer, Exception), answer
    assert names(log) == ["ci", *(f"p{place}" for place in range(3, 8))]


def test_of_many_at_once_one_is_entered_and_the_others_are_told_why(log):
    most = []

    async def main():
        desk = desk_of(log)
        real, running = desk.register, 0

        async def register(own):
            nonlocal running
            running += 1
            most.append(running)
            try:
                return await real(own)
            finally:
                running -= 1

        desk.register = register
        async with linked(desk, log.home.config) as link:
            asked = [link.register(THIEF) for _ in range(40)]
            answers = await asyncio.gather(*asked, return_exceptions=True)
        good = [each for each in answers if not isinstance(each, Exception)]
        assert len(good) == 1
        assert all(isinstance(each, Refused) for each in answers if each not in good)

    asyncio.run(main())
    # One thread of those that everybody shares, however many are asked for.
    assert max(most) == 1
    assert names(log) == ["ci", "thief"]


# What it hands in


def own_entry(log, own: dict) -> bytes:
    """What the writer would make of `own`, as far as a front end can."""
    if log.charter.kind == "record":
        return untimed(LOG, MEDIA_TYPE, encode_own(own))
    return own_statement(own, origin=log.charter.origin)


def handing(*admitted: tuple) -> bytes:
    return framed(Handed(1, [*admitted]))


def test_what_the_log_says_of_itself_is_not_handed_in(log):
    told(
        log,
        *(
            handing((identity, own_entry(log, own), None))
            for own in (FREEZE, ROTATE, {**THIEF, "number": 1})
            for identity in (None, register_identity(1), b"x" * 48)
        ),
        handing((None, own_entry(log, FREEZE).replace(b"freeze", b"\xff" * 6), None)),
    )
    assert names(log) == ["ci"]


def test_it_is_not_hidden_among_others(log):
    good = log.admission.admit_statement(sign1(), by="s-1")
    told(log, handing(tuple(good), (None, own_entry(log, FREEZE), None)))
    assert names(log) == ["ci"]


def test_the_place_of_an_entry_about_producers_is_not_taken(log):
    # Else the next producer could not be entered, nor anybody's statement looked at.
    data = log.admission.admit_statement(sign1(), by="s-1").data
    told(log, *(handing((register_identity(n), data, None)) for n in (0, 1, 2, 100)))
    log.register(THIEF)
    assert names(log) == ["ci", "thief"]


def test_an_entry_that_no_tile_can_have_is_refused(log, kind):
    room = MAX_ENTRY_BYTES - (PREFIX_BYTES if kind == "record" else 0)
    sizes = (room + 1, room + 15, MAX_ENTRY_BYTES + 1)
    told(log, *(handing((None, b"x" * size, None)) for size in sizes))
    assert room > MAX_BODY_BYTES
