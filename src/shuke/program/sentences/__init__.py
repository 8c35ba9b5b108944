"""What is wrong with a program and what changes in it, said to people in three languages.

A file per language, the same keys in each; ``rendering`` puts the values in. For who translates:

* a problem's key begins with its code; behind the colon stands which of its sentences it is;
* ``{name}`` is filled in and may stand anywhere in the sentence;
* ``[ … {name} …]`` is left out where nothing is known of ``name``;
* names of fields that a merchant writes (``keep``, ``redemption``) stay as they are written;
* other words come from docs/reference/glossary.csv, the mainland's and Taiwan's each from its own column;
* between Chinese and a value that is Latin or a number, the blank comes by itself.
"""

from shuke.program.sentences.rendering import LOCALES, Fact, Listed, Locale, Phrase, language_of, say, tell

__all__ = ["LOCALES", "Fact", "Listed", "Locale", "Phrase", "language_of", "say", "tell"]
