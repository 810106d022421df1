"""Of many cases a sample in `make test`, and all of them in `make soak`."""

from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any

import pytest


def one_in(every: int, cases: Iterable[Any]) -> list[Any]:
    """Each `every`-th case in every run, beginning with the first."""
    return [
        each if number % every == 0 else pytest.param(each, marks=pytest.mark.soak)
        for number, each in enumerate(cases)
    ]


def crossed(*choices: Sequence[Any]) -> list[Any]:
    """Every choice with every other; in every run each of them once, at least.

    The longest comes first, and the others are gone through beside it.
    """
    assert len(choices[0]) == max(map(len, choices))
    in_every_run = {
        tuple(each[at % len(each)] for each in choices) for at in range(len(choices[0]))
    }
    return [
        each if each in in_every_run else pytest.param(*each, marks=pytest.mark.soak)
        for each in product(*choices)
    ]
