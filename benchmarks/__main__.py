"""``python -m benchmarks [SECTION …]``: measure, and print what ``benchmarks/README.md`` tells.

Every section can be run alone; without a name all run but ``small`` and ``cost``, in sizes that take some minutes.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import doors, quoting, replaying, settling


def _settle(given: argparse.Namespace) -> None:
    settling.settle(members=given.members, count=given.orders, rounds=given.rounds, home=given.home)


def _scale(given: argparse.Namespace) -> None:
    settling.scale(sizes=(given.members, given.many), count=given.orders, rounds=given.rounds, home=given.home)


def _small(given: argparse.Namespace) -> None:
    settling.small()


def _replay(given: argparse.Namespace) -> None:
    replaying.measure(count=1_000_000, members=25_000)
    replaying.memory(counts=(200_000, 800_000))


def _cost(given: argparse.Namespace) -> None:
    replaying.cost(count=40_000, members=1_000)


def _quote(given: argparse.Namespace) -> None:
    for rules, coupons in ((50, 0), (2_000, 200)):
        quoting.measure_quote(rules=rules, coupons=coupons)


def _lots(given: argparse.Namespace) -> None:
    for lots in (10, 10_000):
        quoting.measure_spend(lots=lots)


def _doors(given: argparse.Namespace) -> None:
    doors.measure(members=given.members, rounds=given.rounds, home=given.home)


SECTIONS: dict[str, tuple[str, Callable[[argparse.Namespace], None]]] = {
    "settle": ("bulk settling beside pgbench", _settle),
    "scale": ("the same with few and with many members", _scale),
    "small": ("batches of few orders", _small),
    "doors": ("the API over HTTP beside pgbench", _doors),
    "replay": ("a history through the engine alone", _replay),
    "cost": ("CPU of one process for an order, to compare two versions in turn", _cost),
    "quote": ("quotes of a 30-line cart", _quote),
    "lots": ("a spend from many lots", _lots),
}
ALL = ("settle", "scale", "doors", "replay", "quote", "lots")


def main() -> None:
    told = "\n".join(f"  {name:8}{words}" for name, (words, _) in SECTIONS.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=f"{__doc__}\n\n{told}", formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("section", nargs="*", choices=[[], *SECTIONS, "all"], metavar="SECTION", help="what to measure")
    parser.add_argument("--rounds", type=int, default=3, help="how often settling and pgbench take turns (3)")
    parser.add_argument("--orders", type=int, default=60_000, help="orders settled in a round (60000)")
    parser.add_argument("--members", type=int, default=settling.SMALL, help="members loaded (100000)")
    parser.add_argument("--many", type=int, default=settling.LARGE, help="members loaded for scale (10000000)")
    parser.add_argument("--home", type=Path, help="where the server's data lie, to be used again; a new folder if not")
    given = parser.parse_args()
    names = given.section or ["all"]
    for name in ALL if "all" in names else names:
        words, run = SECTIONS[name]
        print(f"{name}: {words}", flush=True)
        start = time.perf_counter()
        run(given)
        print(f"  ({time.perf_counter() - start:,.0f} s)", flush=True)


if __name__ == "__main__":
    main()
