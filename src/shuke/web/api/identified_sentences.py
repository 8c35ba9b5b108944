"""What people read of how a member was found, in three languages."""

from __future__ import annotations

from typing import Final

from shuke.engine.sentences import Locale

Sentences = dict[Locale, str]


def _in(en: str, zh_hant: str, zh_hans: str) -> Sentences:
    return {"en": en, "zh-Hant": zh_hant, "zh-Hans": zh_hans}


IDENTIFIED: Final[dict[str, Sentences]] = {
    "member_id": _in("Found by her own id.", "以會員編號找到。", "按会员编号找到。"),
    "identity.verified": _in(
        "Found by a verified identity: {kind}.", "以已驗證的識別資料找到：{kind}。", "按已验证的身份标识找到：{kind}。"
    ),
    "identity.told": _in(
        "Found by an identity that was told and never verified: {kind}.",
        "以自行告知、未經驗證的識別資料找到：{kind}。",
        "按自行告知、未经验证的身份标识找到：{kind}。",
    ),
    "thing": _in(
        "Found by a thing that she alone has: {kind}.",
        "以僅她使用的裝置找到：{kind}。",
        "按仅她使用的设备找到：{kind}。",
    ),
    "shared": _in(
        "Several members have it, so it says of none that it is she: {kind}.",
        "多位會員共用，不據以認人：{kind}。",
        "多位会员共用，不据以认人：{kind}。",
    ),
    "new": _in(
        "Nobody was called so: somebody new.", "沒有會員使用這些資料：新的一位。", "没有会员使用这些标识：新的一位。"
    ),
    "anonymous": _in(
        "Only a device is known; she stays anonymous.", "只知道裝置，暫時匿名。", "只知道设备，暂为匿名。"
    ),
    "nobody": _in("Nothing that was told names anybody.", "所告知的資料不代表任何人。", "所告知的标识不代表任何人。"),
    "junk": _in(
        "On the program's list of what stands for nobody: {kind}.",
        "在方案的排除清單上：{kind}。",
        "在方案的排除名单上：{kind}。",
    ),
    "not_alone": _in(
        "Another member's, but what else was told names somebody else: {kind}.",
        "屬於另一位會員，而其他資料指向別人：{kind}。",
        "属于另一位会员，而其他标识指向别人：{kind}。",
    ),
    "not_verified": _in(
        "The program lets nobody be found by it unverified: {kind}.",
        "依方案規定，未經驗證不據以認人：{kind}。",
        "按方案规定，未经验证不据以认人：{kind}。",
    ),
    "decides_never": _in(
        "The program lets nobody be found by it: {kind}.",
        "依方案規定，不據以認人：{kind}。",
        "按方案规定，不据以认人：{kind}。",
    ),
    "of_another": _in("Another member's: {kind}.", "屬於另一位會員：{kind}。", "属于另一位会员：{kind}。"),
    "not_learnt": _in(
        "Not added, because nobody has shown that she is who she says: {kind}.",
        "未加入，因為尚未證明是本人：{kind}。",
        "未加入，因为尚未证明是本人：{kind}。",
    ),
    "identity_taken": _in("Another member's: {kind}.", "屬於另一位會員：{kind}。", "属于另一位会员：{kind}。"),
    "identity_limit": _in(
        "She has as many of this kind as she may: {kind}.", "這種資料已達上限：{kind}。", "此类标识已达上限：{kind}。"
    ),
    "too_many_identities": _in(
        "She has as many identities as she may: {kind}.", "識別資料已達上限：{kind}。", "身份标识已达上限：{kind}。"
    ),
    "identity_junk": _in(
        "On the program's list of what stands for nobody: {kind}.",
        "在方案的排除清單上：{kind}。",
        "在方案的排除名单上：{kind}。",
    ),
}
"""How a member was found, and why an identity did not count."""
