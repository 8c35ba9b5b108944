"""Coupons through their life: issued, held, redeemed, restored, expired, voided, given."""

from __future__ import annotations

from shuke.engine.activity import Activity
from shuke.engine.conditions import Names
from shuke.engine.effects import Refused
from shuke.engine.member import Coupon
from shuke.engine.orders import Order
from shuke.engine.turn import Turn
from shuke.program.document import Program
from shuke.values.instants import NEVER, Instant, LocalCalendar


class Coupons:
    """The coupon templates of one edition."""


def compile_coupons(program: Program, calendar: LocalCalendar, names: Names) -> Coupons:
    return Coupons()


def issue_template(
    turn: Turn, template_id: str, *, rule: str | None, why: dict[str, object] | None, quantity: int = 1
) -> list[Coupon] | Refused:
    return []


def issue(turn: Turn) -> Refused | None:
    return None


def claim(turn: Turn) -> Refused | None:
    return None


def redeem(turn: Turn) -> Refused | None:
    return None


def void(turn: Turn) -> Refused | None:
    return None


def give(turn: Turn) -> Refused | None:
    return None


def receive(turn: Turn) -> Refused | None:
    return None


def return_coupons(turn: Turn, order: Order) -> None: ...


def reuse_coupons(turn: Turn, order: Order) -> None: ...


def quotas_of_coupons(edition: object, activity: Activity, found: object) -> None: ...


def next_due(turn: Turn) -> Instant:
    return NEVER


def fall_due(turn: Turn) -> None: ...
