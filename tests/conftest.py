"""Settings that hold for every test.

The profile `ci` draws the same examples in every run, so that a red test stays red
until somebody mends it. `HYPOTHESIS_PROFILE=nightly` searches on, further each time.
"""

import os

from hypothesis import settings

settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("nightly", max_examples=2_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
