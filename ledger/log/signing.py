"""The one place from which the signer is called: with what an anchor holds.

A house test counts the places. Whoever wants a signature has to bring an anchor,
and an anchor only ever holds what is durable.
"""

from __future__ import annotations

from ledger.keys.signer import Signer
from ledger.log.anchor import Anchored


def sign_anchored(signer: Signer, held: Anchored, *, time: int | None = None) -> bytes:
    """The signed checkpoint of `held`; with a time by the ML-DSA-44 keys, too."""
    return signer.sign(held, time=time)
