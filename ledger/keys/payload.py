"""What a payload has to be, where its type says what it is: the rule of every log.

The log asks it before a statement enters, and whoever signs one before it is signed:
what a log refuses could not be mended any more, only made again.
"""

from __future__ import annotations

from verifier.errors import MalformedError
from verifier.own import MEDIA_TYPE as OWN
from verifier.statement.intoto import InTotoStatement, is_in_toto
from verifier.statement.predicates import summarise


def check_payload(type_: str | None, payload: bytes | None) -> None:
    """Return if `payload` is what `type_` says, or MalformedError.

    An in-toto statement has to be one, and a predicate that is known here one of its
    kind: others will rely on what it says. None is a payload that is not there, being
    detached, or signed by its digest.
    """
    if type_ == OWN:
        raise MalformedError(f"only the log itself says what is of the type {OWN}")
    if payload is not None and is_in_toto(type_ or ""):
        summarise(InTotoStatement.parse(payload))
