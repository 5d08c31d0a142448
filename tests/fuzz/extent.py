"""How much is tried: a part that is the same in each run of `make test`; `make torture` sets more, by chance."""

import os
from collections import Counter

from hypothesis import HealthCheck, settings

EXTENT = int(os.environ.get("BEISTAND_FUZZ_EXTENT", "1"))
"""Times as many examples."""
attacks: Counter[str] = Counter()
"""How often each kind of attack was really made, in this process."""


def examples(count: int) -> settings:
    """Return the settings of a property with so many examples."""
    quiet = [HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(
        max_examples=count * EXTENT,
        deadline=None,
        derandomize=EXTENT == 1,
        database=None,
        suppress_health_check=quiet,
    )
