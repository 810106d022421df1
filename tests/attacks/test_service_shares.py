"""Nobody has all of what a front end shares out: not its memory, not its places.

A caller is a token, or an address; of IPv6 it is the network that one household has,
since who has one such address has all of them.
"""

import asyncio

import pytest

from ledger.errors import Unavailable
from ledger.http.entrance import network_of
from ledger.http.memory import ANSWERS, Memory

ONE, OTHER = "s-one", "s-other"


def test_one_caller_has_at_most_half_of_the_memory():
    memory = Memory(100)
    with memory.holding(50, ONE), pytest.raises(Unavailable), memory.holding(1, ONE):
        pass
    with memory.holding(50, ONE), memory.holding(50, OTHER):
        assert memory.used == 100


def test_answers_leave_room_for_what_comes():
    memory = Memory(100)
    with memory.holding(40, ONE, ANSWERS), memory.holding(35, OTHER, ANSWERS):
        with pytest.raises(Unavailable), memory.holding(1, "s-third", ANSWERS):
            pass
        with memory.holding(25, "s-third"):
            assert memory.used == 100


def test_all_together_have_no_more_than_there_is():
    memory = Memory(100)
    with memory.holding(50, ONE), memory.holding(40, OTHER):
        with pytest.raises(Unavailable), memory.holding(11, "s-third"):
            pass
        with pytest.raises(Unavailable), memory.holding(11):
            pass


def test_what_is_larger_than_all_there_is_comes_alone():
    memory = Memory(100)
    with memory.holding(101, ONE, ANSWERS):
        for who in (ONE, OTHER):
            with pytest.raises(Unavailable), memory.holding(1, who):
                pass
    with memory.holding(1), pytest.raises(Unavailable), memory.holding(101, ONE):
        pass


def test_everything_is_given_back_however_it_ends():
    memory = Memory(100)

    def fails():
        with memory.holding(10, ONE) as held:
            held.have(30)
            held.have(-5)
            assert (memory.used, memory.used_by[ONE]) == (35, 35)
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert (memory.used, memory.used_by) == (0, {})


def test_who_waits_for_room_has_it_when_it_is_given_back():
    memory = Memory(100)

    async def waits() -> None:
        with memory.holding(0, OTHER) as held:
            await held.room(60, 10)
            assert memory.used == 0

    async def both() -> None:
        with memory.holding(50, ONE):
            waiting = asyncio.create_task(waits())
            await asyncio.sleep(0)
            assert not waiting.done()
        await waiting

    asyncio.run(both())


def test_who_waits_for_room_in_vain_is_told():
    memory = Memory(100)

    async def waits() -> None:
        with memory.holding(50, ONE), memory.holding(0, ONE) as held:
            await held.room(1, 0.01)

    with pytest.raises(Unavailable):
        asyncio.run(waits())


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff:1:2:3", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
    ],
)
def test_a_caller_is_an_address_or_a_household(one, other, same):
    assert (network_of(one) == network_of(other)) is same
