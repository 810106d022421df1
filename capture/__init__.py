"""The application's side: report what happened, from inside other people's programs.

    receipt = Client(url, token, policy).submit(record)

What comes back was verified before it is handed out, offline and under the caller's
own policy: a log that lies raises NotBelieved. Every call ends within its time, and
what is not known to be logged is said not to be. The package stays free of the
server and its database.
"""

from capture.client import Client
from capture.errors import (
    ClientError,
    Conflict,
    NotAllowed,
    NotBelieved,
    OutcomeUnknown,
    Refused,
    Unavailable,
)
from capture.logged import Logged
from capture.twin import AsyncClient

__all__ = [
    "AsyncClient",
    "Client",
    "ClientError",
    "Conflict",
    "Logged",
    "NotAllowed",
    "NotBelieved",
    "OutcomeUnknown",
    "Refused",
    "Unavailable",
]
