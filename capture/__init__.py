"""The application's side: report what happened, from inside other people's programs.

    desk = Recorder(actor="agent:refunds", producer="refunds-1")
    record = desk.inference("claims-7b", inputs=[of_text(question)])
    receipt = Client(url, token, policy).store(record)

What comes back was verified before it is handed out, offline and under the caller's
own policy: a log that lies raises NotBelieved. Every call ends within its time, and
what is not known to be logged is said not to be. The package stays free of the
server and its database.
"""

from capture.artifacts import (
    environment,
    of_bytes,
    of_file,
    of_messages,
    of_text,
    trace_of,
)
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
from capture.recorder import Recorder, link
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
    "Recorder",
    "Refused",
    "Unavailable",
    "environment",
    "link",
    "of_bytes",
    "of_file",
    "of_messages",
    "of_text",
    "trace_of",
]
