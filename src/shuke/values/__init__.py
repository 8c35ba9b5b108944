"""Floor 0: the values everything else is made of (amounts, rates, instants, days, ids, names).

Nothing here reads a clock, a file, a socket or a database, and nothing here imports a higher floor.
"""
