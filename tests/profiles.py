"""The profile of a house, for tests of what a log demands beyond the schema."""

from __future__ import annotations

from typing import Final

HEAD: Final = """\
profile = "provlog/profile/1"
name = "house"
version = "1"
says = "what our house wants"
"""
HOUSE: Final = f"""\
{HEAD}
[[require]]
fields = ["workflow_id"]
missing = "reject"
because = "a run has a number"

[[require]]
fields = ["env"]
missing = "flag"
because = "we like to know where"
"""
