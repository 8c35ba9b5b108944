"""Prove that floors 0-2 import where nothing but documents and state is installed, as on a Spark worker.

Every import outside the standard library and `ALLOWED` is refused, also when it is asked for by something
that is allowed, and so is every higher floor of our own. Then each module of the pure floors is imported.
Run it in a fresh interpreter: `.venv/bin/python -I scripts/check_pure_floors.py`.
"""

import importlib
import pkgutil
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

PURE_FLOORS = ("values", "program", "engine")
ALLOWED = frozenset(
    {
        "annotated_types",
        "msgspec",
        "pydantic",
        "pydantic_core",
        "typing_extensions",
        "typing_inspection",
        "tzdata",
        "yaml",
        "_yaml",
    }
)


class OnlyWhatIsPure(MetaPathFinder):
    """Refuses, as if it were not installed, every module that a pure floor must do without."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if self.is_allowed(fullname):
            return None
        raise ModuleNotFoundError(f"{fullname} is not there for floors 0-2", name=fullname)

    @staticmethod
    def is_allowed(fullname: str) -> bool:
        top, *rest = fullname.split(".")
        if top == "shuke":
            return not rest or rest[0] in PURE_FLOORS
        # `_sysconfigdata_…` is named after the machine and so missing from the list of the standard library.
        return top in sys.stdlib_module_names or top in ALLOWED or top.startswith("_sysconfigdata_")


def main() -> int:
    sys.meta_path.insert(0, OnlyWhatIsPure())
    count = 0
    for floor in PURE_FLOORS:
        package = importlib.import_module(f"shuke.{floor}")
        names = [package.__name__]
        names += [found.name for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
        for name in names:
            try:
                importlib.import_module(name)
            except ModuleNotFoundError as missing:
                print(f"{name} is not pure: {missing}", file=sys.stderr)
                return 1
        count += len(names)
    print(f"Pure floors: {count} modules import without web and database packages.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
