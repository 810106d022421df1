"""Spoiling a true claim by one bit, and seeing which error refuses it."""

from collections.abc import Callable
from typing import Any

from verifier import VerificationError


def flipped(data: bytes, bit: int) -> bytes:
    """`data` with one bit changed."""
    return (int.from_bytes(data, "big") ^ 1 << bit).to_bytes(len(data), "big")


DROP = object()
"""In the place of a value: that there is none."""


def replaced(whole: Any, *path: str | int, to: object) -> Any:
    """`whole`, in which the value at `path` is another one, or is dropped."""
    place = whole
    for step in path[:-1]:
        place = place[step]
    if to is DROP:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return whole


def refusal_by(
    verify: Callable[..., None], case: dict
) -> type[VerificationError] | None:
    """Which error refuses `case`; pytest.raises is too slow for a million cases."""
    try:
        verify(**case)
    except VerificationError as error:
        return type(error)
    return None
