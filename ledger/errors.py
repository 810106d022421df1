"""What can go wrong in a log, divided by who has to act.

`Refused` is about what was handed in: repeating it changes nothing. `Unavailable`
is about us: the same may be accepted later. `Held` is the log refusing to write
(or to be opened) in a state that a person must look at; it names the state and
the command that mends it. `Halted` ends the process: nobody knows what reached
the disk, and going on would be a lie.
"""

from __future__ import annotations


class Refused(Exception):
    """The submission cannot be logged as it is; `check` is a stable word."""

    def __init__(self, check: str, says: str) -> None:
        super().__init__(says)
        self.check = check


class Conflict(Refused):
    """The same identity was logged with other bytes, at `index`."""

    def __init__(self, index: int, says: str) -> None:
        super().__init__("conflict", says)
        self.index = index


class Unavailable(Exception):
    """Nothing was logged; the same may be accepted in `retry_after_s`."""

    def __init__(self, reason: str, says: str, *, retry_after_s: float = 1.0) -> None:
        super().__init__(says)
        self.reason = reason
        self.retry_after_s = retry_after_s


class Held(Exception):
    """The log does not write until a person has acted.

    `state` is a stable name (docs/operations.md has a heading for each), `mend`
    the command that mends it, where there is one.
    """

    def __init__(self, state: str, says: str, *, mend: str = "") -> None:
        super().__init__(says)
        self.state = state
        self.mend = mend


class Halted(Exception):
    """What reached the disk is unknown: stop, start again, and look."""


class WrongBytes(Exception):
    """What is stored is not what the tree says; it is not served."""

    def __init__(self, where: str, says: str) -> None:
        super().__init__(f"{where}: {says}")
        self.where = where
