"""Being a witness: whether a checkpoint is cosigned, as c2sp.org/tlog-witness says.

A witness remembers of each log the last tree that it cosigned, and cosigns another
one only if that begins with the one it remembers. So all that it ever cosigned of a
log is one history, and whoever asks for its cosignature sees the history that
everybody sees. What it remembers is durable before its signature leaves: a witness
that forgets is one that can be shown a second history.

What is signed is written anew from what was understood, never the bytes that came:
should a parser ever misread them, no harm comes of it. What is stored are the lines
of keys that we know to be the log's, and our own: a line that somebody made up in
our name would else be served in our name.
"""

from __future__ import annotations

import base64
import re
from hashlib import sha256
from typing import Final

from ledger.clock import Clock, read_clock
from ledger.errors import Unavailable
from ledger.keys.witnesskeys import Cosigning
from ledger.witness.answering import Answer, Memory
from ledger.witness.known import Known
from verifier.checkpoint import Checkpoint
from verifier.cosignature import split_time, verify_checkpoint_signature
from verifier.errors import MalformedError, VerificationError
from verifier.hashing import EMPTY_ROOT
from verifier.keys import KeyType, VerifierKey
from verifier.note import Note, NoteSignature, verify_text
from verifier.proof import verify_consistency
from verifier.witnessing import SIZE_TYPE, Addition, answer_text, size_text

MAX_BACK_S: Final = 5
"""How far the clock may be behind the newest cosignature; times never go back."""
OWN: Final = 2
"""How many lines are ours, behind those of the log: WitnessKeys has so many keys."""
_LAST_DIGITS: Final = re.compile(
    rb"[A-Za-z0-9+/]{2}(?:==|[A-Za-z0-9+/]=)$", re.MULTILINE
)
_TRIES: Final = 4
"""How often others may come between; once a second is a time renewed."""
_COSIGNATURES: Final = (KeyType.COSIGNATURE, KeyType.ML_DSA_COSIGNATURE)


class _Declined(Exception):
    """The request ends here, with this answer."""

    def __init__(self, status: int, says: str) -> None:
        super().__init__(says)
        self.answer = Answer(status=status, body=f"{says}\n".encode())


class Cosigner:
    """Decides the requests of all logs; many threads may ask it at once."""

    def __init__(
        self,
        signing: Cosigning,
        known: Known,
        memory: Memory,
        *,
        clock: Clock = read_clock,
    ) -> None:
        self.name = signing.name
        self.keys = signing.verifier_keys()
        self._signing = signing
        self._known = known
        self._memory = memory
        self._clock = clock

    def add(self, body: bytes) -> Answer:
        """Answer `add-checkpoint`; Held or Unavailable if nothing can be decided."""
        try:
            addition, note = _read(body)
            origin = note.text.partition("\n")[0]
            keys = self._known.keys_of(origin)
            if not keys:
                raise _Declined(404, "this log is unknown here")
            checkpoint, lines = _signed(note, keys)
            if addition.old > checkpoint.size:
                raise _Declined(400, "the old size is beyond that of the checkpoint")
            if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
                raise _Declined(422, "a tree without entries has another root")
            return self._continued(addition, checkpoint, lines)
        except _Declined as declined:
            return declined.answer

    def newest(self, digest: bytes) -> bytes | None:
        """The last checkpoint cosigned of the log whose origin has this SHA-256."""
        return self._memory.get(digest)

    def _continued(
        self, addition: Addition, checkpoint: Checkpoint, lines: list[NoteSignature]
    ) -> Answer:
        """Cosign `checkpoint` if it continues what is remembered of its log."""
        key = sha256(checkpoint.origin.encode()).digest()
        for _ in range(_TRIES):
            before = self._memory.get(key)
            last, last_s, last_ours = _last(before)
            if addition.old != (last.size if last else 0):
                break
            _check_proof(last, addition, checkpoint)
            now_s = self._now_s(last_s)
            if (last, last_s) == (checkpoint, now_s):
                # Anybody can send a public checkpoint again and again. Within a
                # second that is no news: it costs neither a signature nor a write.
                return Answer(status=200, body=answer_text(last_ours))
            ours = self._signing.lines(checkpoint, time=now_s)
            after = Note(checkpoint.text(), (*lines, *ours)).encode()
            # The signatures are made, and nobody has them. A crash here forgets them.
            if self._memory.swap(key, before, after):
                # Durable: whatever comes now continues this tree, so it can be said.
                return Answer(status=200, body=answer_text(ours))
            # Another request came between. Where it only renewed the time, somebody
            # who did that all day could keep the log from ever being cosigned.
        last, *_ = _last(self._memory.get(key))
        size = last.size if last else 0
        return Answer(status=409, body=size_text(size), content_type=SIZE_TYPE)

    def _now_s(self, last_s: int) -> int:
        now = self._clock().wall_ms // 1000
        if now <= 0 or now < last_s - MAX_BACK_S:
            raise Unavailable(
                "clock",
                f"the clock of this witness is at {now}, and it has cosigned at "
                f"{last_s} already; nothing is cosigned until it is right",
                retry_after_s=60,
            )
        return max(now, last_s)


def remembered_of(stored: bytes) -> tuple[int, int]:
    """The size that was cosigned last, and when, in seconds since the epoch."""
    last, time, _ = _last(stored)
    return (last.size if last else 0), time


def _last(
    stored: bytes | None,
) -> tuple[Checkpoint | None, int, tuple[NoteSignature, ...]]:
    """What was cosigned last, when, and by which lines of ours."""
    if stored is None:
        return None, 0, ()
    note = Note.parse(stored)
    # Ours stand behind the log's. By name and id a line of the log's might be taken
    # for one: an id is four bytes, and whoever makes a key can search for them.
    ours = note.signatures[-OWN:]
    time = max(split_time(each.signature)[0] for each in ours)
    return Checkpoint.parse(note.text), time, ours


def _read(body: bytes) -> tuple[Addition, Note]:
    try:
        addition = Addition.parse(body)
        return addition, Note.parse(_respelled(addition.checkpoint))
    except MalformedError as error:
        raise _Declined(400, f"this is no request to a witness: {error}") from None


def _respelled(checkpoint: bytes) -> bytes:
    """The signatures in the one spelling of base64, as we sign and store them.

    Other witnesses do not look at the bits that the last digit has too many, and
    answer 403 where such a signature does not hold: so has the one who asks to hear.
    """
    text, blank, lines = checkpoint.rpartition(b"\n\n")
    return text + blank + _LAST_DIGITS.sub(_once_spelled, lines)


def _once_spelled(found: re.Match[bytes]) -> bytes:
    return base64.b64encode(base64.b64decode(found[0]))


def _signed(
    note: Note, keys: tuple[VerifierKey, ...]
) -> tuple[Checkpoint, list[NoteSignature]]:
    """The checkpoint, and the lines under it by which its log has signed it."""
    try:
        found = list(note.of_known(keys))
        for key, blob in found:
            if key.type not in _COSIGNATURES:
                verify_text(key, note.text, blob)
    except VerificationError as error:
        raise _Declined(403, str(error)) from None
    if not found:
        raise _Declined(403, "no key of this log that is known here has signed it")
    try:
        checkpoint = Checkpoint.parse(note.text)
    except MalformedError as error:
        raise _Declined(400, f"this is no checkpoint: {error}") from None
    try:
        for key, blob in found:
            if key.type in _COSIGNATURES:
                verify_checkpoint_signature(key, note.text, checkpoint, blob)
    except VerificationError as error:
        raise _Declined(403, str(error)) from None
    return checkpoint, [NoteSignature(key.name, key.id, blob) for key, blob in found]


def _check_proof(
    last: Checkpoint | None, addition: Addition, checkpoint: Checkpoint
) -> None:
    """Return if `checkpoint` is of a tree that begins with the `last` one."""
    if last is None or last.size == 0:
        if addition.proof:
            raise _Declined(422, "nothing is proven from a tree without entries")
        return
    try:
        verify_consistency(
            first=last.size,
            first_root=last.root,
            second=checkpoint.size,
            second_root=checkpoint.root,
            proof=addition.proof,
        )
    except VerificationError as error:
        raise _Declined(422, f"the consistency proof does not hold: {error}") from None
