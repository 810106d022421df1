"""What can be wrong with evidence, and one thing that can be wrong with us.

A check that does not hold raises a VerificationError. Its `check` is a stable
word that programs may rely on; the message is a sentence for the person who
must act. There is a subclass wherever a caller would act differently, and not
one for each message.

`Unavailable` is not one of them: it says that a check could not be carried
out, which proves nothing about anybody.
"""

from __future__ import annotations


class VerificationError(Exception):
    """The evidence does not support the claim."""

    check = "unspecified"


class MalformedError(VerificationError):
    """The bytes are not what they have to be; all that a parser ever raises."""

    check = "form"


class SignatureError(VerificationError):
    """A key we know did not make this signature."""

    check = "signature"


class CertificateError(VerificationError):
    """The certificate does not lead to an authority that somebody has pinned."""

    check = "certificate"


class UntrustedError(VerificationError):
    """Nobody whom the policy trusts has signed this."""

    check = "log"


class QuorumError(VerificationError):
    """Too few of the policy's witnesses have cosigned."""

    check = "quorum"


class AgeError(VerificationError):
    """The cosignatures are older, or further in the future, than the caller accepts."""

    check = "age"


class FinalError(VerificationError):
    """The checkpoint does not belong to the final tree that the caller pinned."""

    check = "final"


class InclusionError(VerificationError):
    """The proof leads to another root: this leaf is not at this index."""

    check = "inclusion"


class ConsistencyError(VerificationError):
    """The larger tree does not begin with the smaller one."""

    check = "consistency"


class GrowthError(VerificationError):
    """The log shows a smaller tree than it did before."""

    check = "growth"


class EntryError(VerificationError):
    """The entry is not the one that was claimed."""

    check = "entry"


class OpeningError(VerificationError):
    """An opening does not fit a commitment of the record."""

    check = "opening"


class ProducerError(VerificationError):
    """None of the producers whose keys are known has signed this, or none may now."""

    check = "producer"


class ArtifactError(VerificationError):
    """The record does not describe this file."""

    check = "artifact"


class DamagedError(VerificationError):
    """The log is not what its checkpoint says."""

    check = "damage"


class Unavailable(Exception):
    """A check could not be carried out: a file or a server did not answer."""
