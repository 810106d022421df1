"""A checkpoint becomes public in order: cosigned, kept, with the targets, announced.

Without a quorum nothing is shown where that is forbidden; where it is allowed, the
quorum is looked for again. What a crash cuts off between two steps is done again.
"""

from types import SimpleNamespace

import pytest

from ledger.errors import Unavailable
from ledger.publish.kept import Kept
from ledger.publish.publication import Publication
from ledger.publish.publishing import Proposal
from verifier.cosignature import ed25519_message
from verifier.keys import Algorithm, KeyType, PublicKey, VerifierKey
from verifier.note import Note, NoteSignature

NOW = 1_790_000_000


class Power(Exception):
    """It went off."""


class World:
    """A log, a witness whose line can be had or not, and places that write it down."""

    def __init__(self, live, *, closed=True):
        import nacl.signing  # noqa: PLC0415 - only here

        secret = nacl.signing.SigningKey(b"w" * 32)
        public = PublicKey(Algorithm.ED25519, bytes(secret.verify_key))
        self.witness = VerifierKey("witness.example/w1", KeyType.COSIGNATURE, public)
        self._sign = secret.sign
        self.steps = []
        self.answers = True
        self.stops_at = None
        with live.open() as log:
            log.append([b"one", b"two"])
            self.signed = log.checkpoint(time=NOW)
            self.kept = Kept(
                live.folder, log.keys, log.charter.origin, witnesses=[self.witness]
            )
        self.publication = self.begin(closed=closed)

    def begin(self, *, closed):
        """What publishes, as a process has it that has just begun."""
        return Publication(
            self,
            eyes=self,
            places=self,
            prove=lambda first, second: [],
            closed=closed,
            patience_s=1,
        )

    def publish(self):
        """Propose the log's tree."""
        proposal = Proposal(note=self.signed, time=NOW, at_ms=NOW * 1000)
        return self.publication.publish(proposal)

    def _step(self, name):
        if name == self.stops_at:
            raise Power
        self.steps.append(name)

    # Eyes

    def gather(self, note, tree, prove):
        self._step("cosigned")
        if self.answers:
            parsed = Note.parse(note)
            signature = self._sign(ed25519_message(NOW, parsed.text)).signature
            line = NoteSignature(
                self.witness.name,
                self.witness.id,
                NOW.to_bytes(8, "big") + signature,
            )
            note = Note(parsed.text, (*parsed.signatures, line)).encode()
        return SimpleNamespace(note=note, quorum=self.answers)

    # Kept

    def plain(self, note):
        return self.kept.plain(note)

    def of_size(self, size):
        return self.kept.of_size(size)

    def add(self, size, note, time):
        self._step("kept")
        self.kept.add(size, note, time)

    # Places

    def offer(self, published, patience_s):
        self._step("offered")
        self.offered = published

    def announce(self, published):
        self._step("announced")


@pytest.fixture
def world(new_log):
    return World(new_log())


ORDER = ["cosigned", "kept", "offered", "announced"]


def test_each_step_comes_after_the_one_before(world):
    made = world.publish()
    assert world.steps == ORDER
    assert world.offered is made
    assert made.witnessed


@pytest.mark.parametrize("step", ORDER)
def test_what_was_cut_off_at_a_step_is_done_again_from_the_first(world, step):
    world.stops_at = step
    with pytest.raises(Power):
        world.publish()
    world.stops_at, world.steps = None, []
    world.publication = world.begin(closed=True)
    made = world.publish()
    assert world.steps == ORDER
    assert world.kept.of_size(2) == made.plain


def test_without_a_quorum_nothing_is_kept_or_shown_where_it_is_closed(world):
    world.answers = False
    with pytest.raises(Unavailable, match="no quorum"):
        world.publish()
    assert world.steps == ["cosigned"]
    assert world.publication.missing
    assert world.kept.newest(most=99) is None


def test_without_a_quorum_it_is_shown_as_unwitnessed_where_it_is_open(new_log):
    world = World(new_log(), closed=False)
    world.answers = False
    made = world.publish()
    assert world.steps == ORDER
    assert not made.witnessed


def test_a_quorum_that_comes_later_is_kept_for_the_same_size(new_log):
    world = World(new_log(), closed=False)
    world.answers = False
    first = world.publish()
    world.answers = True
    second = world.publish()
    assert second.witnessed
    assert world.kept.of_size(2) == second.plain != first.plain


def test_a_quorum_that_is_lost_takes_nothing_back(new_log):
    world = World(new_log(), closed=False)
    first = world.publish()
    world.answers = False
    assert world.publish() is first
    assert world.kept.of_size(2) == first.plain


def test_a_quorum_that_is_lost_over_a_restart_takes_nothing_back_either(new_log):
    world = World(new_log(), closed=False)
    first = world.publish()
    world.answers = False
    world.publication = world.begin(closed=False)
    with pytest.raises(Unavailable, match="no quorum"):
        world.publish()
    assert world.kept.of_size(2) == first.plain
    assert world.offered is first


def test_where_nobody_can_be_asked_it_is_public_and_not_called_witnessed(world):
    world.publication = Publication(
        world,
        eyes=None,
        places=world,
        prove=lambda first, second: [],
        closed=True,
        wanted=True,
        patience_s=1,
    )
    assert not world.publish().witnessed
    assert world.steps == ORDER[1:]


def test_what_is_kept_has_the_cosignatures_that_never_change(world):
    made = world.publish()
    names = [line.name for line in Note.parse(made.plain).signatures]
    # The log's own twice: as a note, and for COSE receipts.
    assert names == ["log.example/live", "log.example/live", "witness.example/w1"]
    everybody = [line.name for line in Note.parse(made.note).signatures]
    assert everybody == ["log.example/live", *names]  # and the log's ML-DSA-44
