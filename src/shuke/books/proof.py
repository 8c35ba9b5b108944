"""Proving one member: her log settled again gives what is stored, and what is stored twice agrees.

The first row that does not agree is named. The log comes first, then what follows from it, so that an edited
entry is reported as such and not as the balance it spoils.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import MsgspecError, Struct, convert, json, msgpack, to_builtins
from msgspec.structs import replace

from shuke.books.erasure import Seals, erased_by
from shuke.books.kept import Kept, LogRow, Row
from shuke.books.postings import Outside, after, profile_of
from shuke.engine.activity import Activity
from shuke.engine.adoption import orders_asked
from shuke.engine.compiled import Editions
from shuke.engine.effects import DEBT, MEMBER_ACCOUNTS, PENDING, CouponChanged, Settled
from shuke.engine.member import ERASED, Member, pack, unpack
from shuke.engine.needs import needs
from shuke.engine.orders import Order, pack_order
from shuke.engine.step import step
from shuke.values.ids import bucket_of, digest
from shuke.values.instants import NEVER, Instant

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_decode_activity = json.Decoder(Activity).decode


class Finding(Struct):
    """Something that does not agree. ``row`` names the table and key; ``sentence`` says what is wrong."""

    code: str
    row: str
    sentence: str


def check_member(kept: Kept, editions: Editions, claimed: dict[str, int]) -> Iterator[Finding]:
    """What does not agree about one member. Later checks are left out once an earlier one found something.

    What her activities claimed of shared quotas is added to ``claimed``.
    """
    erased = erased_by(kept)
    checks: tuple[Callable[[], Iterator[Finding]], ...] = (
        lambda: _log(kept, erased),
        lambda: _replay(kept, editions, claimed) if erased is None else _sealed(kept, erased, editions, claimed),
        lambda: _accounts(kept),
        lambda: _balances(kept),
        lambda: _columns(kept, editions),
        lambda: _identities(kept),
    )
    for check in checks:
        broken = False
        for finding in check():
            broken = True
            yield finding
        if broken:
            return


def instant(moment: datetime | None) -> Instant:
    """The instant of a timestamptz; null is never."""
    return NEVER if moment is None else (moment - _EPOCH) // timedelta(microseconds=1)


def _log(kept: Kept, erased: LogRow | None) -> Iterator[Finding]:
    """The log has no gaps, ends where the member says, and its columns say what its bodies say. What was told before
    the member was erased has the digest of all that is left of it."""
    seals = None if erased is None else Seals(kept)
    for expected, row in enumerate(kept.log, 1):
        if row.seq != expected:
            yield _missing(kept, expected)
            return
    if len(kept.log) < kept.seq:
        yield _missing(kept, len(kept.log) + 1)
        return
    if len(kept.log) > kept.seq:
        sentence = f"The member counts {kept.seq} activities, the log has {len(kept.log)}."
        yield Finding("log_length", f"activity {kept.member_id}/{kept.seq + 1}", sentence)
        return
    last = 0
    for row in kept.log:
        where = f"activity {kept.member_id}/{row.seq}"
        if row.id <= last:
            yield Finding("log_order", where, f"Its id {row.id} does not follow {last}, that of the one before.")
            return
        last = row.id
        sealed = seals is not None and erased is not None and row.seq < erased.seq
        if seals is not None and sealed and seals.of(row) != row.digest:
            yield Finding("sealed", where, "This activity, or what followed from it, is not what was sealed.")
            return
        if not sealed and digest(row.body.encode()) != row.digest:
            yield Finding("log_body", where, "The body is not the one whose digest was taken.")
            return
        try:
            told = _decode_activity(row.body)
        except MsgspecError as broken:
            yield Finding("log_body", where, f"The body cannot be read: {broken}")
            return
        beside = (kept.member_id, row.source, row.key, row.type, row.occurred_at)
        if beside != (told.member_id, told.source, told.key, told.type, told.occurred_at):
            yield Finding("log_column", where, "A column beside the body says something else.")
            return


def _missing(kept: Kept, seq: int) -> Finding:
    return Finding("log_gap", f"activity {kept.member_id}/{seq}", f"Activity {seq} is missing.")


# -- Again from the log -----------------------------------------------------------------------------------


class _Again(Struct):
    """What settling the log again gives."""

    entries: dict[tuple[int, int], Row] = {}
    orders: dict[str, Row] = {}
    lots: dict[tuple[int, str, int], Row] = {}
    tier_changes: dict[tuple[int, int], Row] = {}
    coupons: dict[str, Row] = {}
    codes: dict[str, Row] = {}


def _sealed(kept: Kept, erased: LogRow, editions: Editions, claimed: dict[str, int]) -> Iterator[Finding]:
    """What is left of an erased member is what was sealed; what was told of her since was refused."""
    if (erased.context or {}).get("seal") != Seals(kept).of_all(erased):
        sentence = "What is left of the member, her orders or coupons is not what was sealed when she was erased."
        yield Finding("sealed", f"activity {kept.member_id}/{erased.seq}", sentence)
        return
    until = erased.seq
    for row in kept.log[:until]:
        for quota, amount in convert(row.context or {}, Outside).claimed.items():
            claimed[quota] = claimed.get(quota, 0) + amount
    since = replace(
        kept,
        log=kept.log[until:],
        entries={key: row for key, row in kept.entries.items() if key[0] > until},
        lots={key: row for key, row in kept.lots.items() if key[0] > until},
        tier_changes={key: row for key, row in kept.tier_changes.items() if key[0] > until},
        orders={},
        coupons={},
        codes={},
    )
    now = max(row.occurred_at for row in kept.log[:until])
    yield from _replay(since, editions, claimed, begin=Member(kept.member_id, kept.joined_at, ERASED, now, seq=until))


def _replay(
    kept: Kept, editions: Editions, claimed: dict[str, int], *, begin: Member | None = None
) -> Iterator[Finding]:
    """Stepping through the log again gives the same rows and the same state, to the last byte."""
    member = begin or Member(kept.member_id, 0)
    orders: dict[str, Order] = {}
    again = _Again()
    known: dict[int, Editions] = {edition.version: editions.known_by(edition.version) for edition in editions.compiled}
    for row in kept.log:
        where = f"activity {kept.member_id}/{row.seq}"
        if row.version not in known:
            yield Finding("replay_version", where, f"There is no version {row.version} it could be settled under.")
            return
        then = known[row.version]  # a version published since does not change what was settled before
        activity = _decode_activity(row.body)
        asked = orders_asked(member, activity, needs(then, activity).orders)
        found = {order_id: orders[order_id] for order_id in asked if order_id in orders}
        try:
            outside = convert(row.context or {}, Outside)
            settled = step(then, member, activity, outside.context(found))
        except Exception as error:  # whatever it is, it is about this row
            yield Finding("replay_failed", where, f"It cannot be settled again: {error!r}")
            return
        member = settled.member
        orders.update(settled.effects.orders)
        _remember(again, row.seq, settled)
        if outside.claimed != Outside().with_claims(settled.effects.claims).claimed:
            yield Finding("replay_claims", where, "Settling it again claims something else of shared quotas.")
            return
        for quota, amount in outside.claimed.items():
            claimed[quota] = claimed.get(quota, 0) + amount
        if not _same_answer(json.decode(row.answer), settled):
            yield Finding("replay_answer", where, "Settling it again gives another answer.")
            return
    again.orders = {order_id: _order_row(order) for order_id, order in orders.items()}
    yield from _compare(kept, again)
    if pack(member) != kept.state and not _is_older(kept.state, pack(member)):
        yield Finding("replay_state", f"member {kept.member_id}", "Settling the log again gives another member.")


def _is_older(state: bytes, again: bytes) -> bool:
    """Whether a state is ``again`` but for fields that there were not yet when it was written."""
    try:
        return _is_within(msgpack.decode(state), msgpack.decode(again)) and pack(unpack(state)) == again
    except MsgspecError:
        return False


def _is_within(older: Any, newer: Any) -> bool:
    """Whether all that ``older`` says ``newer`` says too, in the same place."""
    if isinstance(older, dict) and isinstance(newer, dict):
        return all(name in newer and _is_within(value, newer[name]) for name, value in older.items())
    if isinstance(older, list) and isinstance(newer, list):
        return len(older) <= len(newer) and all(map(_is_within, older, newer))
    return bool(older == newer)


def _remember(again: _Again, seq: int, settled: Settled) -> None:
    effects = settled.effects
    for no, entry in enumerate(effects.entries):
        again.entries[seq, no] = (
            entry.asset,
            entry.kind,
            entry.debit,
            entry.credit,
            entry.amount,
            entry.lot,
            entry.rule,
            entry.order_id,
            entry.version,
            entry.occurred_at,
            _plain(entry.why),
        )
    for lot in effects.lots:
        again.lots[seq, lot.asset, lot.no] = (lot.opened_at, lot.ripens_at or NEVER, min(lot.expires_at, NEVER))
    for no, change in enumerate(effects.tiers):
        row = (change.ladder, change.before, change.after, change.at, min(change.until, NEVER), change.reason)
        again.tier_changes[seq, no] = row
    for coupon in effects.coupons:
        again.coupons[coupon.coupon_id] = _coupon_row(coupon)
    for taken in effects.codes:
        again.codes[taken.code] = (taken.coupon_id,)


def _same_answer(kept: dict[str, Any], settled: Settled) -> bool:
    """Whether ``kept`` is what ``runtime.settle`` keeps; how she stood then is told to some callers only."""
    stood = kept.pop("after", None)
    return kept == _answer(settled) and stood in (None, to_builtins(after(settled.member)))


def _answer(settled: Settled) -> Any:
    refused = settled.refused
    answer: dict[str, Any] = {} if refused is None else {"code": refused.code}
    if refused is not None and refused.facts:
        answer["facts"] = refused.facts
    return _plain({**answer, "body": settled.answer})


def _plain(value: Any) -> Any:
    """The value as it comes back from JSON."""
    return json.decode(json.encode(value))


def _order_row(order: Order) -> Row:
    return (order.placed_at, order.status, order.total(), order.channel, order.store, pack_order(order))


def _coupon_row(coupon: CouponChanged) -> Row:
    return (coupon.template, coupon.code, coupon.state, min(coupon.valid_until, NEVER), coupon.order_id)


_WORDS = {
    "entries": ("entry", "entry"),
    "lots": ("lot", "lot"),
    "orders": ("orders", "memory of this order"),
    "tier_changes": ("tier_change", "change of tier"),
    "coupons": ("coupon", "state of this coupon"),
    "codes": ("code", "coupon of this code"),
}


def _compare(kept: Kept, again: _Again) -> Iterator[Finding]:
    """The first row of each table that is missing, too many, or different."""
    for name, (table, words) in _WORDS.items():
        stored, expected = getattr(kept, name), getattr(again, name)
        if stored == expected:
            continue
        for key in sorted(stored.keys() | expected.keys()):
            if stored.get(key) == expected.get(key):
                continue
            where = f"{table} {kept.member_id}/{'/'.join(map(str, key)) if isinstance(key, tuple) else key}"
            code = f"replay_{table}"
            if key not in stored:
                yield Finding(code, where, f"This row is missing. Settling the log again gives {expected[key]}.")
            elif key not in expected:
                yield Finding(code, where, "Settling the log again does not give this row.")
            else:
                yield Finding(code, where, f"Settling the log again gives another {words}: {expected[key]}.")
            return


# -- What is stored twice ---------------------------------------------------------------------------------


def _identities(kept: Kept) -> Iterator[Finding]:
    """Identities found by their value are those the member knows of."""
    hers = {(one.kind, one.value): (one.since, one.verified_at) for one in unpack(kept.state).identities}
    for kind, value in sorted(hers.keys() | kept.identities.keys()):
        if hers.get((kind, value)) != kept.identities.get((kind, value)):
            sentence = f"The table says another {kind} than the member, or since another time."
            yield Finding("identity", f"identity {kept.member_id}/{kind}", sentence)


def _accounts(kept: Kept) -> Iterator[Finding]:
    """No account falls below zero on the way, but what is owed; nothing is owed that is above zero."""
    accounts: dict[tuple[str, str], int] = {}
    for (seq, no), row in kept.entries.items():
        asset, kind, debit, credit, amount = row[:5]
        for account, change in ((debit, -amount), (credit, amount)):
            if account not in MEMBER_ACCOUNTS:
                continue
            left = accounts[asset, account] = accounts.get((asset, account), 0) + change
            if left and (left < 0) is not (account == DEBT):
                sentence = f"After this {kind} the account {account} of {asset} stands at {left}."
                yield Finding("account_out_of_bounds", f"entry {kept.member_id}/{seq}/{no}", sentence)
                return


def _balances(kept: Kept) -> Iterator[Finding]:
    """Balance = entries = lots."""
    accounts: dict[tuple[str, str], int] = {}
    lots: dict[tuple[str, int, str], int] = {}
    for row in kept.entries.values():
        asset, _, debit, credit, amount, lot = row[:6]
        for account, change in ((debit, -amount), (credit, amount)):
            if account in MEMBER_ACCOUNTS:
                accounts[asset, account] = accounts.get((asset, account), 0) + change
                if account in ("available", PENDING):
                    lots[asset, lot, account] = lots.get((asset, lot, account), 0) + change
    said: dict[tuple[str, str], int] = {}
    said_lots: dict[tuple[str, int, str], int] = {}
    for asset, purse in unpack(kept.state).purses.items():
        said[asset, "available"], said[asset, PENDING] = purse.available, purse.pending
        said[asset, "held"], said[asset, DEBT] = purse.held, -purse.debt
        for account, held in (("available", purse.lots), (PENDING, purse.ripening)):
            for lot in held:
                key = (asset, lot.no, account)
                said_lots[key] = said_lots.get(key, 0) + lot.amount
    for asset, account in sorted(accounts.keys() | said.keys()):
        booked, stored = accounts.get((asset, account), 0), said.get((asset, account), 0)
        if booked != stored:
            sentence = f"{asset} {account}: the member says {stored}, her entries say {booked}."
            yield Finding("balance", f"member {kept.member_id}", sentence)
    for asset, no, account in sorted(lots.keys() | said_lots.keys()):
        booked, stored = lots.get((asset, no, account), 0), said_lots.get((asset, no, account), 0)
        if booked != stored:
            sentence = f"{asset} lot {no} {account}: the member says {stored}, her entries say {booked}."
            yield Finding("lot", f"lot {kept.member_id}/{asset}/{no}", sentence)


def _columns(kept: Kept, editions: Editions) -> Iterator[Finding]:
    """What stands beside the state agrees with it."""
    member = unpack(kept.state)
    # A version published since may have asked the clock to come earlier.
    asked = kept.due_at is not None and kept.due_at < member.due_at and editions.is_change(kept.due_at)
    status, joined_at, traits, tags = profile_of(member)
    beside: tuple[tuple[str, object, object], ...] = (
        ("bucket", kept.bucket, bucket_of(kept.member_id)),
        ("seq", kept.seq, member.seq),
        ("tiers", kept.tiers, member.tiers),
        ("balances", kept.balances, {asset: purse.available for asset, purse in member.purses.items()}),
        ("due_at", member.due_at if asked else kept.due_at, member.due_at),
        ("status", kept.status, status),
        ("joined_at", kept.joined_at, joined_at),
        ("traits", kept.traits, _plain(traits)),
        ("tags", kept.tags, tags),
    )
    for name, stored, derived in beside:
        if stored != derived:
            sentence = f"The column {name} says {stored}, the state says {derived}."
            yield Finding("column", f"member {kept.member_id}", sentence)
