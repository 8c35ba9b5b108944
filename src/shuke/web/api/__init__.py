"""The API for machines, under ``/v1``: one file per feature, each with its requests, answers and routes."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

from shuke.web.api import (
    activities,
    balances,
    carts,
    catalog,
    codes,
    consents,
    coupon_lookups,
    coupons,
    export,
    identified,
    identity_moves,
    keys,
    known_as,
    lifecycle,
    member_codes,
    members,
    orders,
    points,
    profiles,
    programs,
    standings,
    statements,
    stored_value,
    tags,
    tiers_preview,
    timeline,
    tracking,
    waiting,
    webhooks,
)

ROUTERS: Final[tuple[APIRouter, ...]] = (
    identified.router,
    members.router,
    profiles.router,
    known_as.router,
    lifecycle.router,
    tags.router,
    consents.router,
    identity_moves.router,
    export.router,
    member_codes.router,
    statements.router,
    timeline.router,
    orders.router,
    carts.router,
    points.router,
    balances.router,
    stored_value.router,
    coupons.router,
    coupon_lookups.router,
    codes.router,
    standings.router,
    tiers_preview.router,
    activities.router,
    waiting.router,
    catalog.router,
    programs.router,
    webhooks.router,
    keys.router,
    tracking.router,
)
"""Every feature's routes, in the order in which the document lists them."""
