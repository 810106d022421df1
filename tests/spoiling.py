"""Spoiling a true claim by one bit, and seeing which error refuses it."""

from collections.abc import Callable

from verifier import VerificationError


def flipped(data: bytes, bit: int) -> bytes:
    """`data` with one bit changed."""
    return (int.from_bytes(data, "big") ^ 1 << bit).to_bytes(len(data), "big")


def refusal_by(
    verify: Callable[..., None], case: dict
) -> type[VerificationError] | None:
    """Which error refuses `case`; pytest.raises is too slow for a million cases."""
    try:
        verify(**case)
    except VerificationError as error:
        return type(error)
    return None
