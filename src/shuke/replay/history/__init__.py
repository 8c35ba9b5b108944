"""The history format: orders, activities and members in files, read into the engine's activities.

``prepare`` reads every file once, checks every row and lays what is good out in partitions of members, on
disk; ``stream`` gives one partition's activities in their total order, ``stream_all`` everybody's. What is
refused goes to ``rejected.csv``, row by row, with its reason. The format itself is written down in
docs/reference/history-format.md.

Each file of this package is one step: ``text`` (CSV to columns), ``checks`` (is this value what it says?),
``orders``, ``activities``, ``members`` (one kind of file each), ``links`` (who must stay together),
``agreement`` (do the lines of an order agree?), ``rejects`` (what was refused), ``preparing`` (the order of
it all) and ``streaming`` (out again).
"""

from shuke.replay.history.preparing import Prepared, Progress, prepare
from shuke.replay.history.rejects import BadRow, HistoryError
from shuke.replay.history.streaming import stream, stream_all

__all__ = ["BadRow", "HistoryError", "Prepared", "Progress", "prepare", "stream", "stream_all"]
