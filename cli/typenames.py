"""Names of types, as people give them: a media type, and the URI of a predicate.

A statement cannot be mended once it is signed, so what is none of the two is refused
when it is given. RFC 6838 has the one, RFC 3986 the other.
"""

from __future__ import annotations

import re
from typing import Final

import click

_NAME: Final = "[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
_VALUE: Final = r'(?:[A-Za-z0-9!#$%&\'*+.^_`|~-]+|"[^"\\\x00-\x1f\x7f]*")'
_MEDIA: Final = re.compile(rf"{_NAME}/{_NAME}(?: ?; ?{_NAME}={_VALUE})*")
_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]+")


def media_type(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """What a file is, as it was given: type/subtype."""
    if value is not None and not _MEDIA.fullmatch(value):
        says = f"{value!r} is no type/subtype, such as application/json"
        raise click.BadParameter(says)
    return value


def type_uri(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """What kind of thing is said, as it was given: a URI, which somebody has chosen."""
    if value is not None and not _URI.fullmatch(value):
        says = f"{value!r} is no URI, such as https://ci.example/training/v1"
        raise click.BadParameter(says)
    return value
