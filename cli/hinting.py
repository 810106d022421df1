"""What a person can do where a log behind an address gives no result."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from capture import ClientError
from cli import voice
from verifier.errors import Unavailable


@contextmanager
def hinted(token: str | None) -> Iterator[None]:
    """Say what mends it, as far as that is known of what goes wrong in here."""
    try:
        yield
    except (ClientError, Unavailable) as error:
        for marker, hint in _hints(token).items():
            if marker in str(error):
                voice.tell(f"hint: {hint}")
        raise


def _hints(token: str | None) -> dict[str, str]:
    """What is said, and what to do about it."""
    where = "--token-file, or PROVLOG_TOKEN"
    return {
        "answered 401": (
            f"the token that was given is no good here; see {where}. Reading a log "
            "that is open to all needs none: unset PROVLOG_TOKEN"
            if token
            else f"it asks for a token; {where}"
        ),
        "Connection refused": "start it where it is: provlog serve LOG",
        "certificate verify failed": "SSL_CERT_FILE names a file of those to trust",
    }
