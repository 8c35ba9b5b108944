"""The rules of an asset as people read them: what it pays, when it ends, whether it can be given away."""

from __future__ import annotations

from collections.abc import Iterator

from shuke.engine.sentences import Locale, Writer, writer
from shuke.engine.sentences.rendering import plain
from shuke.program.assets import Asset, AssetKind, Validity
from shuke.program.conditions import show
from shuke.program.document import Program


def rules_in_words(asset: Asset, program: Program, locale: Locale) -> list[str]:
    """One sentence for every rule of the asset, in the order in which a member meets them."""
    return list(_sentences(asset, writer(program, locale)))


def _sentences(asset: Asset, words: Writer) -> Iterator[str]:
    yield words.part(f"asset.{asset.kind.value}")
    yield from _paying(asset, words)
    if asset.pending is not None:
        yield words.part("asset.pending", period=words.period(asset.pending))
    yield _validity(asset.validity, words)
    if asset.validity_by_tier is not None:
        by_tier = asset.validity_by_tier
        ladder = next((ladder for ladder in words.program.ladders if ladder.id == by_tier.ladder), None)
        tiers = [words.name(ladder.tiers if ladder is not None else [], tier) for tier in by_tier.tiers]
        yield words.part(
            "asset.tiers",
            tiers=words.part("list").join(tiers),
            ladder=words.name(words.program.ladders, by_tier.ladder),
            validity=_validity(by_tier.validity, words),
        )
    if asset.kind is AssetKind.QUALIFYING:
        return
    yield words.part(f"asset.spend_order.{asset.spend_order}")
    yield from _giving(asset, words)
    yield words.part(f"asset.clawback.{asset.clawback}")
    if asset.on_refund == "forfeit":
        yield words.part("asset.forfeit")
    if asset.expiry_notice_days and not (asset.validity == "never" and asset.validity_by_tier is None):
        days = sorted(set(asset.expiry_notice_days), reverse=True)
        yield words.part("asset.notices", days=words.part("list").join(str(day) for day in days))


def _paying(asset: Asset, words: Writer) -> Iterator[str]:
    redemption = asset.redemption
    if redemption is None:
        return
    share = redemption.maximum_share_percent
    yield words.part(
        "asset.worth",
        units=_whole(asset, redemption.per, words),
        amount=words.price(redemption.worth),
        minimum=words.price(redemption.minimum_cart) if redemption.minimum_cart else None,
        percent=plain(share) if share < 100 else None,
        step=_whole(asset, redemption.step, words) if redemption.step > 1 else None,
        least=_whole(asset, redemption.minimum, words) if redemption.minimum else None,
    )
    if redemption.lines is not None:
        yield words.part("asset.lines", lines=show(redemption.lines))


def _giving(asset: Asset, words: Writer) -> Iterator[str]:
    transfer = asset.transfer
    if transfer is not None:
        most = transfer.maximum_per_day
        yield words.part(
            f"asset.transfer.{transfer.dates}",
            least=_whole(asset, transfer.minimum, words),
            most=None if most is None else _whole(asset, most, words),
        )


def _whole(asset: Asset, count: int, words: Writer) -> str:
    """So many whole units of the asset."""
    return words.quantity(asset.id, count * 10**asset.scale)


def _validity(validity: Validity | str, words: Writer) -> str:
    if not isinstance(validity, Validity):
        return words.part("asset.never")
    start = words.part(f"asset.start.{validity.from_}")
    if validity.inactivity is not None:
        return words.part("asset.inactivity", period=words.period(validity.inactivity))
    if validity.on is not None:
        later = validity.on.years_later
        return words.part(
            "asset.on",
            date=f"{validity.on.month:02}-{validity.on.day:02}",
            start=start,
            years=words.period(f"{later} years") if later else None,
        )
    if validity.first_of_month is not None:
        return words.part("asset.first_of_month", count=str(validity.first_of_month), start=start)
    if validity.after is None:
        return words.part(f"asset.end_of.{validity.to_end_of}", start=start)
    key = f"asset.after.{validity.to_end_of}" if validity.to_end_of else "asset.after"
    return words.part(key, period=words.period(validity.after), start=start)
