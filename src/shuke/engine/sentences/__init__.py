"""What people read: why value moved and why something was refused, in three languages.

A file per language, the same keys in each; ``rendering`` puts the values in. For who translates:

* ``{name}`` is filled in and may stand anywhere in the sentence;
* ``[ … {name} …]`` is left out where nothing is known of ``name``;
* words come from docs/reference/glossary.csv, the mainland's and Taiwan's each from its own column;
* between Chinese and a value that is Latin or a number, the blank comes by itself.
"""

from shuke.engine.sentences.rendering import Writer, told, writer
from shuke.program.sentences import Locale, language_of

__all__ = ["Locale", "Writer", "language_of", "told", "writer"]
