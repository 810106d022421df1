"""Load over HTTP by wrk: each submission with bytes of its own."""

from __future__ import annotations

import re
import subprocess
import tempfile
from typing import Final, NamedTuple

UNIQUE: Final = """
local number = 0
function setup(thread)
  thread:set("tid", number)
  number = number + 1
end
function init()
  n = 0
  math.randomseed(os.time() + tid * 7919)
  r = math.random(1e9)
end
"""
ONE: Final = (
    UNIQUE
    + """
local fill = string.rep("x", %d)
function request()
  n = n + 1
  local body = tid .. "-" .. r .. "-" .. n .. "-"
  return wrk.format("POST", "%s", %s, body .. fill:sub(#body + 1))
end
"""
)


class Load(NamedTuple):
    """What wrk has measured: requests a second, and percentiles in milliseconds."""

    rate: float
    p50: float
    p99: float
    failed: int

    def text(self, each: int = 1) -> str:
        """One line of a table."""
        failed = f", {self.failed} failed" if self.failed else ""
        return (
            f"{self.rate * each:>9,.0f}/s   p50 {self.p50:7.2f} ms   "
            f"p99 {self.p99:7.2f} ms{failed}"
        )


def answered(url: str, script: str, connections: int, seconds: int) -> float:
    """Requests a second, each of which was answered: what is refused is fast."""
    load = wrk(url, script, connections, seconds)
    assert not load.failed, f"{load.failed} of {url} failed"
    return load.rate


def wrk(url: str, script: str, connections: int, seconds: int) -> Load:
    """Run the script over so many connections."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        done = subprocess.run(
            [
                *("wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"),
                *("-s", file.name, url),
            ],
            check=True,
            capture_output=True,
            text=True,
        )
    said = done.stdout
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    assert rate, said
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    return Load(
        float(rate[1]),
        _ms(said, "50%"),
        _ms(said, "99%"),
        int(failed[1]) if failed else 0,
    )


def _ms(said: str, percentile: str) -> float:
    found = re.search(rf"{percentile}\s+([\d.]+)(us|ms|s)", said)
    assert found, said
    return float(found[1]) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[found[2]]
