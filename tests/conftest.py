"""How Hypothesis looks for examples: at random here, the same ones every time in CI; and a calmer collector."""

import gc
import os

from hypothesis import settings

settings.register_profile("default", deadline=None, max_examples=50)
settings.register_profile("ci", deadline=None, max_examples=50, derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "default")

# The collector looks through all that lives each time a graph has grown by a quarter, and finds nothing:
# with Python's own threshold it takes half the time of the suite.
gc.set_threshold(50_000, 20, 20)
