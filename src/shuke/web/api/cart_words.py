"""What is said of a priced cart, in three languages: hints, labels, what things are called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from shuke.engine.sentences import Locale, Writer, told
from shuke.engine.sentences.rendering import plain
from shuke.program.benefits import Benefit, PercentBenefit
from shuke.program.chapter import Text
from shuke.program.sentences.filling import fill
from shuke.web.api.sentences import Sentences


def _in(en: str, zh_hant: str, zh_hans: str) -> Sentences:
    return {"en": en, "zh-Hant": zh_hant, "zh-Hans": zh_hans}


WORDS: Final[dict[str, Sentences]] = {
    "spend_more": _in(
        "Spend {needs} more to get {name}.",
        "再消費 {needs} 即可享「{name}」。",
        "再消费 {needs} 即可享“{name}”。",
    ),
    "spend_more.off": _in(
        "Spend {needs} more and {name} takes off {off}.",
        "再消費 {needs}，「{name}」即可折 {off}。",
        "再消费 {needs}，“{name}”即可减 {off}。",
    ),
    "add_item": _in(
        "Add {needs} more item to get {name}.",
        "再加 {needs} 件即可享「{name}」。",
        "再加 {needs} 件即可享“{name}”。",
    ),
    "add_items": _in(
        "Add {needs} more items to get {name}.",
        "再加 {needs} 件即可享「{name}」。",
        "再加 {needs} 件即可享“{name}”。",
    ),
    "member_price": _in("Member price", "會員價", "会员价"),
    "member_prices": _in("Member prices", "會員價", "会员价"),
    "percent_off": _in("{percent}% off", "享 {percent}% 折扣", "享 {percent}% 折扣"),
    "free_shipping": _in("Free shipping", "免運", "包邮"),
    "upgrade_gift": _in("Upgrade gift", "升等禮", "升级礼"),
    "birthday_gift": _in("Birthday gift", "生日禮", "生日礼"),
    "item": _in("Item {number}", "商品 {number}", "商品 {number}"),
    "subtotal": _in("Subtotal", "小計", "小计"),
    "items_discount": _in("Discounts", "商品折扣", "商品优惠"),
    "shipping_discount": _in("Shipping discount", "運費折抵", "运费优惠"),
    "fulfillment": _in("Shipping", "運費", "运费"),
    "tax": _in("Tax", "稅金", "税费"),
    "total": _in("Total", "應付金額", "应付金额"),
}
"""By key. Hints go by the engine's code, benefits by their kind, labels by the type of a total."""


def word(key: str, locale: Locale, **values: str) -> str:
    """The words for a key, with their values."""
    return fill(WORDS[key][locale], values)


def titled(title: Text | None, id_: str, locale: Locale) -> str:
    """What people read of something: its title, else its id."""
    return told(title, locale) or id_


def hint(hinted: Mapping[str, Any], writer: Writer) -> str:
    """A hint of a quote as a sentence: "Spend 40.00 more to get Ten percent off."."""
    template = hinted.get("template")
    chapters: Any = writer.program.prices.promotions if template is None else writer.program.coupons
    name = writer.name(chapters, template or hinted["id"])
    needs = hinted["needs"]
    if hinted["code"] == "add_items":
        return word("add_item" if needs == 1 else "add_items", writer.locale, needs=str(needs), name=name)
    if "off" in hinted:
        off = writer.money(hinted["off"])
        return word("spend_more.off", writer.locale, needs=writer.money(needs), name=name, off=off)
    return word("spend_more", writer.locale, needs=writer.money(needs), name=name)


def reduction(kind: str, id_: str, writer: Writer) -> str:
    """What a reduction is called: by its title, else by what it is."""
    if kind == "member_price":
        return word("member_price", writer.locale)
    program = writer.program
    if kind == "coupon":
        return writer.name(program.coupons, id_)
    if kind == "promotion":
        return writer.name(program.prices.promotions, id_)
    return next((benefit(chapter, writer) for chapter in program.benefits if chapter.id == id_), id_)


def benefit(chapter: Benefit, writer: Writer) -> str:
    """What a benefit is, for who has it: its title, else what it brings."""
    if chapter.title is not None:
        return writer.name((chapter,), chapter.id)
    percent = chapter.percent_off
    if percent is None:
        return word(chapter.kind, writer.locale)
    off = percent.off if isinstance(percent, PercentBenefit) else percent
    return word("percent_off", writer.locale, percent=plain(off))
