"""The one way in which the log asks others: addresses that the operator has set."""

from ledger.outbound.answer import NoAnswer, Reply
from ledger.outbound.line import Line

__all__ = ["Line", "NoAnswer", "Reply"]
