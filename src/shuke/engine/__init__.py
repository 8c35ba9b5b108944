"""Floor 2: one pure step, `(program, state, fact) -> (state, effects)`.

The same facts in the same order give the same effects on every machine and in every year. This floor
never reads a clock, never draws a random number and never waits for anything.
"""
