"""``python -m shuke.cli`` is ``shuke``."""

from shuke.cli import main

if __name__ == "__main__":
    main()
