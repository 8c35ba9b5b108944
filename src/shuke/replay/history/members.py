"""Members: who they are, when they joined, and what they bring with them. A row of a CSV or Parquet file
each.

Columns: ``member_id, joined_at``; identities (IDENTITIES); opening balances ``balance:<asset>`` with
``expires:<asset>``, or ``lots:<asset>`` as JSON; every other column is a trait.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from shuke.engine.activity import ASSET_OPENED, JOINED
from shuke.replay.history import checks
from shuke.replay.history.activities import ENCODER
from shuke.replay.history.checks import Refusal
from shuke.replay.history.facts import MEMBERS, Fact, FactSheet
from shuke.replay.history.orders import Extra, typed_value
from shuke.replay.history.payloads import PayloadReader
from shuke.replay.history.rejects import HistoryError
from shuke.replay.history.text import Refuse
from shuke.values.instants import Instant

IDENTITIES: Final = frozenset(
    ("phone", "email", "card", "line", "wechat_unionid", "wecom", "shopify", "taobao", "jd", "douyin", "youzan")
)
"""Columns that name the member elsewhere, and nobody else; so do ``wechat_openid`` and ``wechat_openid:<app>``. What
people share, such as a device, is a trait."""

_HOLDINGS: Final = ("balance", "expires", "lots")


class _Lot(Struct, forbid_unknown_fields=True):
    amount: Any
    expires_at: str | None = None
    opened_at: str | None = None


_LOTS: Final = msgspec.json.Decoder(list[_Lot], float_hook=Decimal)


def is_identity(column: str) -> bool:
    """Whether a column of the file names the member elsewhere."""
    return column in IDENTITIES or column.partition(":")[0] == "wechat_openid"


class MemberReader:
    """Turns rows of texts, under the file's ``header``, into facts. HistoryError for columns that make no
    sense."""

    def __init__(self, path: Path, header: list[str], kinds: list[str] | None, payloads: PayloadReader) -> None:
        self._payloads = payloads
        self._kinds = kinds or ["text"] * len(header)
        self._header = header
        missing = [name for name in ("member_id", "joined_at") if name not in header]
        if missing:
            raise HistoryError(
                f"{path.name} lacks the column {' and '.join(missing)}; it has: {', '.join(header[:20])}"
            )
        twice = sorted({name for name in header if header.count(name) > 1})
        if twice:
            raise HistoryError(f'{path.name} has the column "{twice[0]}" twice')
        for name in header:
            column, colon, asset = name.partition(":")
            if colon and column in _HOLDINGS and asset not in payloads.asset_scales:
                known = ", ".join(sorted(payloads.asset_scales)) or "none"
                raise HistoryError(
                    f'{path.name} has the column "{name}", but "{asset}" is not an asset of the program; '
                    f"it has: {known}"
                )

    def read(self, rows: Iterable[tuple[int, list[str | None]]], *, sheet: FactSheet, refuse: Refuse) -> None:
        """Put what the rows (line, texts) tell on the sheet: joining, and each opening lot. A row counts
        whole or not."""
        for line, values in rows:
            try:
                for fact in self._facts(line, values):
                    sheet.add(fact)
            except Refusal as refused:
                refuse(line, refused.code, refused.reason)

    def _facts(self, line: int, values: list[str | None]) -> list[Fact]:
        row = dict(zip(self._header, values, strict=True))
        member_id = checks.read_id("member_id", row["member_id"])
        joined = checks.read_instant("joined_at", row["joined_at"], calendar=self._payloads.calendar)
        payload = self._payload(row)
        names = tuple(payload.get("identities", {}).items())
        packed = ENCODER.encode(payload).decode() if payload else None
        facts = [Fact(MEMBERS, line, joined, f"joined:{member_id}", JOINED, member_id, packed, names)]
        for name in self._header:
            column, colon, asset = name.partition(":")
            if colon and column in ("balance", "lots"):
                told = self._balance(row, asset) if column == "balance" else self._lots(row, asset)
                for number, (opened, amount, expires) in enumerate(told, 1):
                    body: dict[str, Any] = {"asset": asset, "amount": amount}
                    if expires is not None:
                        body["expires_at"] = expires
                    key = f"opened:{member_id}:{asset}:{column}:{number}"
                    at = joined if opened is None else max(joined, opened)
                    facts.append(Fact(MEMBERS, line, at, key, ASSET_OPENED, member_id, ENCODER.encode(body).decode()))
        return facts

    def _payload(self, row: dict[str, str | None]) -> dict[str, Any]:
        traits: dict[str, Any] = {}
        identities: dict[str, str] = {}
        for name, kind in zip(self._header, self._kinds, strict=True):
            text = checks.read_text(name, row[name])
            if text is None or name in ("member_id", "joined_at") or name.partition(":")[0] in _HOLDINGS:
                continue
            if is_identity(name):
                identities[name] = self._payloads.identity(name, name, text)
                continue
            if name == "birthday":
                checks.read_day(name, text)
                text = text.strip()
            traits[name] = typed_value(Extra(name, kind), text)
        payload: dict[str, Any] = {}
        if traits:
            payload["traits"] = traits
        if identities:
            payload["identities"] = identities
        return payload

    def _balance(self, row: dict[str, str | None], asset: str) -> Iterator[tuple[Instant | None, int, Instant | None]]:
        column = f"balance:{asset}"
        amount = checks.read_amount(column, row[column], scale=self._payloads.scale_of(asset))
        expires = row.get(f"expires:{asset}")
        if amount:
            yield None, amount, self._payloads.end(f"expires:{asset}", expires) if expires else None

    def _lots(self, row: dict[str, str | None], asset: str) -> Iterator[tuple[Instant | None, int, Instant | None]]:
        column = f"lots:{asset}"
        text = row[column]
        if not text or not text.strip():
            return
        try:
            lots = _LOTS.decode(text)
        except (msgspec.DecodeError, RecursionError) as broken:
            raise Refusal(
                "not_lots",
                f'{column} must look like [{{"amount": "12", "expires_at": "2025-12-31"}}]: {broken}',
            ) from broken
        for lot in lots:
            amount = self._payloads.amount(column, lot.amount, self._payloads.scale_of(asset))
            if amount <= 0:
                raise Refusal("not_an_amount", f"{column} has a lot of nothing, or less")
            opened = lot.opened_at and checks.read_instant(column, lot.opened_at, calendar=self._payloads.calendar)
            yield (
                opened or None,
                amount,
                self._payloads.end(column, lot.expires_at) if lot.expires_at else None,
            )
