"""What a step must be handed beyond the member: orders, coupon codes, the state of shared quotas."""

from __future__ import annotations

from msgspec import Struct

from shuke.engine import activity as of
from shuke.engine.activity import Activity, Line
from shuke.engine.codes import quotas_of_coupons
from shuke.engine.compiled import Editions
from shuke.engine.identity import Asked, asked_for, brought_by
from shuke.engine.spends import remembered_as
from shuke.engine.stored_value import ORDER_PREFIX

_ABOUT_AN_ORDER = frozenset((of.ORDER_REFUNDED, of.ORDER_CANCELLED, of.ORDER_REOPENED, of.ORDER_COMPLETED))
_ABOUT_A_TOP_UP = frozenset((of.TOPPED_UP, of.TOP_UP_REFUNDED))
_ABOUT_A_SPEND = frozenset((of.ASSET_SPENT, of.ASSET_CAPTURED, of.ASSET_SPEND_REVERSED))
_OTHER = {
    of.ASSET_TRANSFERRED: "to_member",
    of.COUPON_GIVEN: "to_member",
    of.IDENTITY_MOVED: "to_member",
    of.MERGED: "into",
    of.UNMERGED: "merged_member",
}


class Needs(Struct):
    """Names of what to fetch: the member's ``orders``, coupon ``codes``, ``quotas`` to hold locked, other ``members``
    whose inbox the step may write to, whose the ``identities`` are that are told, and what the catalog says of the
    goods in ``lines``."""

    orders: list[str] = []
    codes: list[str] = []
    quotas: list[str] = []
    members: list[str] = []
    identities: list[Asked] = []
    lines: list[Line] = []


def needs(program: Editions, activity: Activity) -> Needs:
    """What ``step`` will look up in its context for this activity. Pure; looks at the activity alone."""
    edition = program.at(activity.occurred_at)
    found = Needs()
    if activity.type in _ABOUT_AN_ORDER:
        order_id = (activity.payload or {}).get("order_id")
        if order_id is not None:
            found.orders.append(str(order_id))
    elif activity.purchase is not None and activity.type == of.ORDER_PAID:
        found.orders.append(activity.purchase.order_id)
    elif activity.type in _ABOUT_A_TOP_UP:
        found.orders.append(f"{ORDER_PREFIX}{(activity.payload or {}).get('id')}")
    elif activity.type in _ABOUT_A_SPEND:
        id_ = (activity.payload or {}).get("id")
        if id_ is not None:
            found.orders.append(remembered_as(id_))
    elif activity.type in _OTHER and activity.payload is not None:
        to = activity.payload.get(_OTHER[activity.type])
        if isinstance(to, str) and to:
            found.members.append(to)
    else:
        found.identities.extend(asked_for(activity))
    if activity.brought is not None:
        found.identities.extend(brought_by(activity))
    if activity.purchase is not None and activity.purchase.hold is None:
        found.lines = activity.purchase.lines
    found.quotas.extend(edition.quotas.get(activity.type, ()))
    quotas_of_coupons(edition, activity, found)
    return found
