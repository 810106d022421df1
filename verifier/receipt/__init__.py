"""Receipts: what shows that an entry is in a log, in each of its forms.

`tlog` is the primary one, a text with its checkpoint (c2sp.org/tlog-proof). `cose`
is the second face of the same, for those who speak RFC 9942, and `transparent` a
statement that carries such receipts; `line` ties the two together: a checkpoint's
line out of which anybody can make the other form.
"""

from verifier.receipt.tlog import (
    FAMILY,
    HEADER,
    MAX_BYTES,
    MAX_EXTRA_BYTES,
    MAX_HASHES,
    Receipt,
)

__all__ = [
    "FAMILY",
    "HEADER",
    "MAX_BYTES",
    "MAX_EXTRA_BYTES",
    "MAX_HASHES",
    "Receipt",
]
