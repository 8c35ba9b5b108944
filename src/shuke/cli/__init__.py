"""Floor 7: the command ``shuke``, a file per group of commands; ``terminal`` draws, ``troubles`` tells of errors.

Standard output carries the report and nothing else (with ``--json`` exactly one JSON document); progress,
notes and errors go to standard error. What a command needs of the lower floors it imports when it runs, so
that ``shuke --help`` answers at once.
"""

from shuke.cli.command import main, run

__all__ = ["main", "run"]
