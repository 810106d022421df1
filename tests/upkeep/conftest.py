"""What the tests of upkeep begin with."""

from tests.upkeep.holding import copies, copy, log

__all__ = ["copies", "copy", "log"]
