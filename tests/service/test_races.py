"""Whoever reads while others write sees a log: every proof fits its own checkpoint.

Four producers and sixteen readers race over two front ends, one of which may know
less than the other; none ever shows what is not anchored, and none goes back.
"""

import base64
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from functools import partial

import pytest

from tests.liveservice import Response
from verifier.hashing import leaf_hash
from verifier.proof import verify_inclusion
from verifier.receipt import Receipt
from verifier.tile import ENTRIES, WIDTH, parse_entries, tiles_of
from verifier.trust import verify_checkpoint

PRODUCERS, READERS, ENTRIES_EACH = 4, 16, 25


class Reader:
    """One connection, which remembers the largest checkpoint that it was shown."""

    def __init__(self, service):
        self.service = service
        self.connection = service.connect()
        self.seen = 0

    def close(self):
        """Hang up."""
        self.connection.close()

    def get(self, path, **headers):
        """Ask for `path`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.connection.request("GET", path, headers=named)
        got = self.connection.getresponse()
        return Response(got.status, got.headers, got.read())

    def checkpoint(self):
        """The newest checkpoint: never a smaller one than before."""
        shown = self.get("/checkpoint")
        assert shown.status == 200
        tree = self.service.live.saw(shown.body)
        assert tree.size >= self.seen
        self.seen = tree.size
        return tree

    def verified(self, data, entry):
        """A receipt's tree, after the proof in it was verified for `entry`."""
        receipt = Receipt.parse(data)
        policy = self.service.live.policy
        tree = verify_checkpoint(receipt.checkpoint, policy).checkpoint
        verify_inclusion(
            leaf_hash(entry),
            index=receipt.index,
            size=tree.size,
            proof=receipt.proof,
            root=tree.root,
        )
        return tree


def audits(reader):
    """An auditor: the checkpoint, and then every tile that it speaks of."""
    tree = reader.checkpoint()
    hashes = []
    for tile in tiles_of(tree.size):
        shown = reader.get("/" + tile.path())
        assert shown.status == 200, (tile.path(), tree.size, shown.body)
        if tile.level == ENTRIES:
            hashes += map(leaf_hash, parse_entries(shown.body, tile))
        elif tile.level == 0:
            start = tile.index * WIDTH
            assert b"".join(hashes[start : start + tile.width]) == shown.body
    assert len(hashes) == tree.size


def asks_for_receipts(reader):
    """A producer's friend: any entry, under the newest published checkpoint."""
    size = reader.checkpoint().size
    for index in {0, size // 2, size - 1} if size else ():
        entry = reader.get(f"/v1/entries/{index}")
        assert entry.status == 200, (index, size, entry.body)
        receipt = reader.get(f"/v1/receipts/{index}")
        # Another front end may have a smaller one; what one connection saw stays.
        assert receipt.status == 200, (index, size, receipt.body)
        tree = reader.verified(receipt.body, entry.body)
        assert tree.size >= size
        same = reader.get(f"/v1/receipts/{index}/{tree.size}")
        assert same.status == 200
        assert reader.verified(same.body, entry.body) == tree


def produces(service, number):
    """A producer: each answer has a receipt that can be had again."""
    with closing(Reader(service)) as reader:
        produce(reader, number)


def produce(reader, number):
    for at in range(ENTRIES_EACH):
        entry = b"producer %d, entry %d" % (number, at)
        reader.connection.request("POST", "/v1/records", entry)
        got = reader.connection.getresponse()
        told = Response(got.status, got.headers, got.read())
        assert told.status == 201, told.body
        index = told.json["index"]
        assert base64.b64decode(told.json["entry"]) == entry
        tree = reader.verified(told.json["receipt"].encode(), entry)
        assert tree.size == told.json["size"]
        reader.service.remember(told.json)
        again = reader.get(f"/v1/receipts/{index}/{tree.size}")
        assert again.status == 200, (index, tree.size, again.body)
        assert reader.verified(again.body, entry) == tree
        # This connection is served by whoever gave the answer: it is there at once.
        assert reader.get(f"/v1/entries/{index}").body == entry


@pytest.mark.parametrize(
    "workers",
    [
        pytest.param(0, id="alone"),
        pytest.param(2, id="two_front_ends", marks=pytest.mark.exhaustive),
    ],
)
def test_readers_who_race_with_producers_see_nothing_but_a_log(new_service, workers):
    service = new_service(workers=workers, settings="publish_interval_ms = 20\n")
    done = threading.Event()

    def reads(number):
        with closing(Reader(service)) as reader:
            while True:
                (audits if number % 4 == 0 else asks_for_receipts)(reader)
                if done.is_set():
                    return

    with ThreadPoolExecutor(PRODUCERS + READERS) as pool:
        readers = [pool.submit(reads, number) for number in range(READERS)]
        producers = [
            pool.submit(produces, service, number) for number in range(PRODUCERS)
        ]
        try:
            for each in producers:
                each.result()
        finally:
            done.set()
        for each in readers:
            each.result()
    assert service.submit(b"last").json["index"] == PRODUCERS * ENTRIES_EACH


def test_what_one_front_end_has_logged_the_other_shows_within_a_tenth_of_a_second(
    new_service,
):
    service = new_service(workers=2)
    with ExitStack() as closed:
        producer, *readers = (
            closed.enter_context(closing(Reader(service))) for _ in range(9)
        )
        for number in range(30):
            producer.connection.request("POST", "/add", b"entry %d" % number)
            index = int(producer.connection.getresponse().read())
            for reader in readers:
                service.until(partial(shows, reader, index), within_s=0.1)


def shows(reader, index):
    """Whether a front end has come to an entry."""
    return reader.get(f"/v1/entries/{index}").status == 200
