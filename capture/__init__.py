"""The application's side: report what happened, from inside other people's programs.

    desk = Recorder(actor="agent:refunds", producer="refunds-1")
    record = desk.inference("claims-7b", inputs=[of_text(question)])
    receipt = Client(url, token, policy).store(record)

What comes back was verified before it is handed out, offline and under the caller's
own policy: a log that lies raises NotBelieved. Every call ends within its time, and
what is not known to be logged is said not to be. The package stays free of the
server and its database. What is listed here is read when it is first asked for.
"""

from typing import TYPE_CHECKING

from verifier.lazily import lazily

if TYPE_CHECKING:
    from capture.artifacts import environment as environment
    from capture.artifacts import of_bytes as of_bytes
    from capture.artifacts import of_file as of_file
    from capture.artifacts import of_messages as of_messages
    from capture.artifacts import of_text as of_text
    from capture.artifacts import trace_of as trace_of
    from capture.client import Client as Client
    from capture.errors import ClientError as ClientError
    from capture.errors import Conflict as Conflict
    from capture.errors import NotAllowed as NotAllowed
    from capture.errors import NotBelieved as NotBelieved
    from capture.errors import OutcomeUnknown as OutcomeUnknown
    from capture.errors import Refused as Refused
    from capture.errors import Unavailable as Unavailable
    from capture.logged import Logged as Logged
    from capture.recorder import Recorder as Recorder
    from capture.recorder import link as link
    from capture.twin import AsyncClient as AsyncClient

_HOMES = {
    "AsyncClient": "twin",
    "Client": "client",
    "ClientError": "errors",
    "Conflict": "errors",
    "Logged": "logged",
    "NotAllowed": "errors",
    "NotBelieved": "errors",
    "OutcomeUnknown": "errors",
    "Recorder": "recorder",
    "Refused": "errors",
    "Unavailable": "errors",
    "environment": "artifacts",
    "link": "recorder",
    "of_bytes": "artifacts",
    "of_file": "artifacts",
    "of_messages": "artifacts",
    "of_text": "artifacts",
    "trace_of": "artifacts",
}
__all__ = list(_HOMES)
__getattr__, __dir__ = lazily(__name__, _HOMES)
