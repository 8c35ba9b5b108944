"""How Hypothesis looks for counterexamples, for every test."""

import os

from hypothesis import settings

# A busy machine is no counterexample, so there is no deadline. In CI the same commit tries the same examples
# and gets the same verdict; everywhere else each run looks somewhere new, and prints how to come back to it.
settings.register_profile("house", deadline=None, derandomize="CI" in os.environ, print_blob=True)
settings.load_profile("house")
