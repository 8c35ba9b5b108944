"""Words of the reports that are printed in three languages. From docs/reference/glossary.csv where it has them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from shuke.engine.sentences import Locale

_LANGUAGES: Final = ("en", "zh-Hant", "zh-Hans")

_WORDS: Final[dict[str, tuple[str, str, str]]] = {
    "activity": ("Activity", "事件", "事件"),
    "amount": ("amount", "數額", "数额"),
    "as_of": ("As of", "截至", "截至"),
    "asset": ("asset", "資產", "资产"),
    "available": ("available", "可用", "可用"),
    "balances": ("Balances", "餘額", "余额"),
    "beginning": ("the beginning", "最初", "最初"),
    "code": ("code", "券碼", "券码"),
    "coupon": ("coupon", "優惠券", "优惠券"),
    "coupons": ("Coupons", "優惠券", "优惠券"),
    "entries": ("Last entries", "最近分錄", "最近分录"),
    "entry": ("entry", "分錄", "分录"),
    "expires": ("good through", "效期至", "有效期至"),
    "from_to": ("from → to", "由 → 至", "由 → 至"),
    "held": ("on hold", "預扣", "预扣"),
    "joined": ("Joined", "加入會員", "入会"),
    "key": ("Source and key", "來源與鍵值", "来源与键"),
    "ladder": ("ladder", "等級體系", "等级体系"),
    "late": (
        "Something has been due since {instant}. It is settled by: shuke work --once",
        "自 {instant} 起有到期事項尚未入帳，請執行：shuke work --once",
        "自 {instant} 起有到期事项尚未入账，请执行：shuke work --once",
    ),
    "lot": ("lot", "批次", "批次"),
    "lots": ("Lots", "批次", "批次"),
    "next": ("Next event", "下次變動", "下次变动"),
    "no_end": ("no end", "永久", "永久"),
    "none": ("none", "無", "无"),
    "numbers": ("numbers", "計算數據", "计算数据"),
    "occurred": ("occurred", "發生時間", "发生时间"),
    "opened": ("opened", "開始", "开始"),
    "order": ("order", "訂單", "订单"),
    "owed": ("owed", "欠點", "欠分"),
    "pending": ("pending", "待入點", "待入账"),
    "recorded": ("settled", "入帳時間", "入账时间"),
    "ripens": ("usable from", "可用起日", "可用起日"),
    "rule": (
        "What the program says (version {version})",
        "會員制度第 {version} 版的規定",
        "会员制度第 {version} 版的规定",
    ),
    "since": ("since", "起", "起"),
    "source": ("by", "來源", "来源"),
    "state": ("state", "狀態", "状态"),
    "status": ("Status", "狀態", "状态"),
    "tags": ("Tags", "標籤", "标签"),
    "tier": ("tier", "等級", "等级"),
    "tiers": ("Tiers", "會員等級", "会员等级"),
    "traits": ("Traits", "屬性", "属性"),
    "until": ("until", "至", "至"),
    "when": ("when", "時間", "时间"),
    "why": ("why", "緣由", "缘由"),
    # programs
    "error": ("error", "錯誤", "错误"),
    "warning": ("warning", "警告", "警告"),
    "perhaps": ("Perhaps: ", "或許是：", "也许是："),
    "counted": ("{errors}, {warnings}", "{errors}，{warnings}", "{errors}，{warnings}"),
    "errors": ("{count} errors", "{count} 個錯誤", "{count} 个错误"),
    "errors.one": ("1 error", "1 個錯誤", "1 个错误"),
    "warnings": ("{count} warnings", "{count} 個警告", "{count} 个警告"),
    "warnings.one": ("1 warning", "1 個警告", "1 个警告"),
    "sound": ("{program} is sound.", "{program} 沒有問題。", "{program} 没有问题。"),
    "broken": ("broken", "不符", "不符"),
    "examples_hold": (
        "{held} of {examples} in {file} hold.",
        "{file} 的 {examples}中有 {held} 個符合。",
        "{file} 的 {examples}中有 {held} 个符合。",
    ),
    "examples": ("{count} examples", "{count} 個範例", "{count} 个示例"),
    "examples.one": ("1 example", "1 個範例", "1 个示例"),
    "same": ("{before} and {after} say the same.", "{before} 與 {after} 內容相同。", "{before} 和 {after} 内容相同。"),
    "changes_to": ("Changes to version {version}", "與第 {version} 版的差異", "与第 {version} 版的差异"),
    "changes_unread": ("Only in what nobody reads.", "只有不影響內容的差異。", "只有不影响内容的差异。"),
    # states of a coupon and of a member
    "active": ("active", "有效", "有效"),
    "dormant": ("dormant", "沉睡", "沉睡"),
    "frozen": ("frozen", "已凍結", "已冻结"),
    "left": ("left", "已退出", "已退出"),
    "erased": ("erased", "資料已刪除", "资料已删除"),
    "stranger": ("not a member yet", "尚未入會", "尚未入会"),
    "issued": ("issued", "已發放", "已发放"),
    "redeemed": ("redeemed", "已核銷", "已核销"),
    # where a tier comes from
    "earned": ("earned", "升等取得", "升级取得"),
    "bought": ("bought", "購買", "购买"),
    "gifted": ("gifted", "贈送", "赠送"),
    "matched": ("matched", "等級匹配", "等级匹配"),
    "temporary": ("on trial", "試用", "试用"),
}


def word(key: str, locale: Locale, **values: str) -> str:
    """The word in the language."""
    return _WORDS[key][_LANGUAGES.index(locale)].format(**values)


def counted(key: str, count: int, locale: Locale) -> str:
    """So many of them: "1 error", "2 errors"."""
    return word(f"{key}.one" if count == 1 else key, locale, count=f"{count:,}")


def word_for(value: str, locale: Locale) -> str:
    """The word for a value that the engine keeps; the value itself where there is none."""
    return word(value, locale) if value in _WORDS else value


Lang = Annotated[
    str | None,
    typer.Option("--lang", envvar="SHUKE_LANG", metavar="LANG", help="Language of the report: en, zh-Hant or zh-Hans."),
]


def language(told: str | None) -> Locale:
    """The language of a report: as told, else as the environment's locale says."""
    from shuke.engine.sentences import language_of

    return language_of(told or os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG"))
