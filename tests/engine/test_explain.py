"""Why value moved, told in three languages."""

# ruff: noqa: E501  # a sentence is a line

import ast
from pathlib import Path

import pytest

import shuke.engine
from shuke.engine.effects import Entry
from shuke.engine.explain import KINDS, explain_entry
from shuke.program.document import read
from shuke.values.instants import parse_instant

PROGRAM = read("""
id: regulars
currency: TWD
zone: Asia/Taipei
assets:
  - id: points
    unit: {en: point, zh-Hant: 點, zh-Hans: 积分}
    validity: {after: 12 months}
  - {id: stars, title: {en: Stars, zh-Hant: 星星, zh-Hans: 星星}, validity: {inactivity: 18 months}}
  - {id: deposit, kind: principal, scale: 2}
  - {id: extra, kind: bonus, scale: 2}
earning:
  - {id: base, asset: points, give: {per: {amount: 100, points: 1}}}
  - {id: each, asset: points, give: {per_item: 0.5}}
  - {id: hello, on: member.joined, asset: points, give: {fixed: 50}}
  - {id: walk, on: walked, asset: points, give: {per_unit: {of: activity.distance, every: 0.5, points: 2}}}
  - {id: days, on: checked_in, asset: points, give: {steps: {of: streak(checked_in), table: [{at_least: 3, points: 9}]}}}
  - id: gold
    title: {en: Gold pace, zh-Hant: 金卡加速, zh-Hans: 金卡加速}
    asset: points
    give: {multiply: {by: 1.2}}
ladders:
  - id: club
    title: {en: Club, zh-Hant: 俱樂部, zh-Hans: 俱乐部}
    tiers: [{id: base}, {id: gold, title: {en: Gold, zh-Hant: 金卡, zh-Hans: 金卡}, entry: spend(12 months) >= 3000}]
benefits:
  - {id: cake, title: {en: Cake, zh-Hant: 蛋糕, zh-Hans: 蛋糕}, birthday_gift: {asset: points, amount: 88}}
  - {id: up, for: {ladder: club, tiers: [gold]}, upgrade_gift: {asset: points, amount: 500}}
stored_value:
  principal: deposit
  bonus: extra
  offers: [{id: big, title: {en: Big one, zh-Hant: 大額儲值, zh-Hans: 大额充值}, pay: 1000, bonus: 50}]
""")
NEW_YEAR = parse_instant("2026-01-01", zone="Asia/Taipei")


def entry(kind, debit, credit, amount=123, *, asset="points", rule=None, order=None, **why):
    return Entry(asset, kind, debit, credit, amount, NEW_YEAR, 3, 1, rule, order, why or None)


TOLD = [
    (
        entry("earn", "issued", "available", rule="base", basis=1234500),
        "Earned 123 points: 1 point per 100.00 on 12,345.00 (rule base, program version 3).",
        "獲得 123 點：計點金額 12,345.00，每 100.00 得 1 點（規則「base」，會員制度第 3 版）。",
        "获得 123 积分：计分金额 12,345.00，每 100.00 得 1 积分（规则“base”，会员制度第 3 版）。",
    ),
    (
        entry(
            "earn",
            "issued",
            "pending",
            20,
            rule="base",
            order="A-1",
            basis=1234500,
            wanted=123,
            limit="base/day",
        ),
        "Earned 20 points for order A-1, pending for now: 1 point per 100.00 on 12,345.00; 123 were due, but the "
        "limit per day left no more (rule base, program version 3).",
        "獲得 20 點（訂單 A-1），尚待入點：計點金額 12,345.00，每 100.00 得 1 點；原應得 123，受每日上限所限"
        "（規則「base」，會員制度第 3 版）。",
        "获得 20 积分（订单 A-1），待入账：计分金额 12,345.00，每 100.00 得 1 积分；原应得 123，受每日上限所限"
        "（规则“base”，会员制度第 3 版）。",
    ),
    (
        entry("earn", "issued", "available", 2, rule="each", order="A-1", basis=0, counted=[4, 1]),
        "Earned 2 points for order A-1: 0.5 points per item, times 4 (rule each, program version 3).",
        "獲得 2 點（訂單 A-1）：共 4 件，每件得 0.5 點（規則「each」，會員制度第 3 版）。",
        "获得 2 积分（订单 A-1）：共 4 件，每件得 0.5 积分（规则“each”，会员制度第 3 版）。",
    ),
    (
        entry("earn", "issued", "available", 50, rule="hello", basis=0),
        "Earned 50 points (rule hello, program version 3).",
        "獲得 50 點（規則「hello」，會員制度第 3 版）。",
        "获得 50 积分（规则“hello”，会员制度第 3 版）。",
    ),
    (
        entry("earn", "issued", "available", 8, rule="walk", basis=0, counted=[9, 4]),
        "Earned 8 points: 2 points per 0.5 of activity.distance, on 2.25 (rule walk, program version 3).",
        "獲得 8 點：activity.distance 為 2.25，每 0.5 得 2 點（規則「walk」，會員制度第 3 版）。",
        "获得 8 积分：activity.distance 为 2.25，每 0.5 得 2 积分（规则“walk”，会员制度第 3 版）。",
    ),
    (
        entry("earn", "issued", "available", 9, rule="days", basis=0),
        "Earned 9 points: the step that streak(checked_in) had reached (rule days, program version 3).",
        "獲得 9 點：依 streak(checked_in) 達到的級距（規則「days」，會員制度第 3 版）。",
        "获得 9 积分：按 streak(checked_in) 达到的档位（规则“days”，会员制度第 3 版）。",
    ),
    (
        entry("earn", "issued", "available", 8, rule="gold", order="A-1", basis=41, by=[6, 5]),
        "Earned 8 points for order A-1: 41 points from other rules count 1.2 times (rule Gold pace, program version 3).",
        "獲得 8 點（訂單 A-1）：其他規則所給的 41 點以 1.2 倍計（規則「金卡加速」，會員制度第 3 版）。",
        "获得 8 积分（订单 A-1）：其他规则所给的 41 积分按 1.2 倍计（规则“金卡加速”，会员制度第 3 版）。",
    ),
    (
        entry("earn", "issued", "available", 1, rule="gone", basis=100),
        "Earned 1 point (rule gone, program version 3).",
        "獲得 1 點（規則「gone」，會員制度第 3 版）。",
        "获得 1 积分（规则“gone”，会员制度第 3 版）。",
    ),
    (
        entry("expire", "available", "expired", opened_at=NEW_YEAR),
        "Expired: 123 points, collected from 2026-01-01 on.",
        "到期：自 2026-01-01 起累積的 123 點。",
        "过期：自 2026-01-01 起累积的 123 积分。",
    ),
    (
        entry("expire", "available", "expired", 3, asset="stars", opened_at=NEW_YEAR),
        "Expired: 3 Stars, for want of activity.",
        "到期：3 星星，因為一段時間沒有往來。",
        "过期：3 星星，因为一段时间没有往来。",
    ),
    (
        entry("spend", "available", "spent", 1234567, asset="deposit", order="A-2"),
        "Spent 12,345.67 of paid principal on order A-2.",
        "使用儲值本金 12,345.67（訂單 A-2）。",
        "使用储值本金 12,345.67（订单 A-2）。",
    ),
    (
        entry("spend", "available", "spent", 100, asset="extra", reason="Lucky draw", reference="D-7"),
        "Spent 1.00 of bonus value: Lucky draw (D-7).",
        "使用贈送金 1.00：Lucky draw（D-7）。",
        "使用赠送金 1.00：Lucky draw（D-7）。",
    ),
    (
        entry("repay", "available", "debt", 1),
        "1 point paid off what was owed after a refund.",
        "1 點抵還退款後的欠點。",
        "1 积分抵还退款后的欠分。",
    ),
    (
        entry("reverse", "available", "reversed", 50, rule="base", order="A-1", given=123, version=2),
        "Taken back 50 points: order A-1, for which rule base had given 123 points, came back (program version 2).",
        "扣回 50 點：訂單 A-1 已退回，規則「base」當時給了 123 點（會員制度第 2 版）。",
        "扣回 50 积分：订单 A-1 已退，规则“base”当时给了 123 积分（会员制度第 2 版）。",
    ),
    (
        entry("reverse", "debt", "reversed", 50, rule="base", order="A-1", given=123, version=2),
        "Owes 50 points: order A-1 came back, and of the 123 points that rule base had given for it these were spent "
        "(program version 2).",
        "記欠 50 點：訂單 A-1 已退回，規則「base」當時給的 123 點當中，這些已經用掉（會員制度第 2 版）。",
        "记欠 50 积分：订单 A-1 已退，规则“base”当时给的 123 积分当中，这些已经用掉（会员制度第 2 版）。",
    ),
    (
        entry("reverse", "forgiven", "reversed", 50, rule="base", order="A-1", given=123, version=2),
        "Forgiven 50 points: order A-1 came back, and of the 123 points that rule base had given for it these were "
        "spent (program version 2).",
        "免還 50 點：訂單 A-1 已退回，規則「base」當時給的 123 點當中，這些已經用掉（會員制度第 2 版）。",
        "免还 50 积分：订单 A-1 已退，规则“base”当时给的 123 积分当中，这些已经用掉（会员制度第 2 版）。",
    ),
    (
        entry("regive", "reversed", "available", 50, rule="base", order="A-1"),
        "Given again 50 points: order A-1 was reopened (rule base).",
        "補回 50 點：訂單 A-1 已重新開啟（規則「base」）。",
        "补回 50 积分：订单 A-1 已重新打开（规则“base”）。",
    ),
    (
        entry("restore", "spent", "available", 30, order="A-1"),
        "Returned 30 points: they had paid for order A-1, which came back.",
        "返還 30 點：訂單 A-1 已退回，當時以此折抵。",
        "退回 30 积分：订单 A-1 已退，当时用它抵扣。",
    ),
    (
        entry("ripen", "pending", "available"),
        "123 points became available.",
        "123 點已可使用。",
        "123 积分已可使用。",
    ),
    (
        entry("open", "issued", "available", reason="Old card"),
        "Opening balance of 123 points: Old card.",
        "期初餘額 123 點：Old card。",
        "期初余额 123 积分：Old card。",
    ),
    (
        entry("adjust", "adjusted", "available", reason="Sorry", approver="Mei"),
        "123 points added by hand: Sorry (approved by Mei).",
        "手動增加 123 點：Sorry（Mei 核准）。",
        "手动增加 123 积分：Sorry（Mei 批准）。",
    ),
    (
        entry("adjust", "available", "adjusted", reason="Twice"),
        "123 points taken away by hand: Twice.",
        "手動扣減 123 點：Twice。",
        "手动扣减 123 积分：Twice。",
    ),
    (
        entry("transfer", "available", "transit", to="M-2"),
        "Sent 123 points to member M-2.",
        "轉贈 123 點給會員 M-2。",
        "转赠 123 积分给会员 M-2。",
    ),
    (
        entry("receive", "transit", "available", **{"from": "M-1"}),
        "Received 123 points from member M-1.",
        "收到會員 M-1 轉贈的 123 點。",
        "收到会员 M-1 转赠的 123 积分。",
    ),
    (
        entry(
            "reverse",
            "available",
            "reversed",
            500,
            asset="extra",
            rule="big",
            order="top_up:T-1",
            policy="proportional",
        ),
        "Taken back 5.00 of bonus value: the top-up that had brought them was paid back.",
        "扣回贈送金 5.00：帶來贈送金的儲值已退還。",
        "扣回赠送金 5.00：带来赠送金的充值已退还。",
    ),
    (
        entry(
            "top_up", "topped_up", "available", 100000, asset="deposit", order="top_up:T-1", paid=100000, card="named"
        ),
        "Topped up 1,000.00 of paid principal.",
        "儲值：儲值本金 1,000.00。",
        "充值：储值本金 1,000.00。",
    ),
    (
        entry("bonus", "issued", "available", 5000, asset="extra", rule="big", paid=100000, offers=[["big", 1]]),
        "50.00 of bonus value on top of a top-up of 1,000.00 (offer Big one).",
        "隨儲值 1,000.00 入帳：贈送金 50.00（方案「大額儲值」）。",
        "随充值 1,000.00 入账：赠送金 50.00（方案“大额充值”）。",
    ),
    (
        entry("refund", "available", "paid_out", 100000, asset="deposit", order="top_up:T-1", policy="proportional"),
        "1,000.00 of paid principal paid back in money.",
        "退還現金：儲值本金 1,000.00。",
        "退还现金：储值本金 1,000.00。",
    ),
    (
        entry("withhold", "available", "spent", 500, asset="deposit", order="top_up:T-1", policy="proportional"),
        "5.00 of paid principal withheld for bonus value that was used before the top-up was paid back.",
        "扣抵儲值本金 5.00：退儲值金以前已使用的贈送金。",
        "扣抵储值本金 5.00：退卡以前已使用的赠送金。",
    ),
    (
        entry("fee", "available", "spent", 500, asset="deposit", order="top_up:T-1", policy="proportional"),
        "5.00 of paid principal kept as the fee for paying a top-up back.",
        "退儲值金的手續費：儲值本金 5.00。",
        "退卡手续费：储值本金 5.00。",
    ),
    (
        entry("gift", "issued", "available", 88, rule="cake", birthday="2026-01-01"),
        "Birthday gift of 88 points (benefit Cake).",
        "生日禮 88 點（權益「蛋糕」）。",
        "生日礼 88 积分（权益“蛋糕”）。",
    ),
    (
        entry("gift", "issued", "available", 500, rule="up", ladder="club", tier="gold"),
        "Gift of 500 points for reaching Gold (benefit up).",
        "升等禮 500 點：升等至「金卡」（權益「up」）。",
        "升级礼 500 积分：升级到“金卡”（权益“up”）。",
    ),
    (
        entry("void", "available", "expired", rule="club"),
        "Ended: 123 points, because of a drop on Club.",
        "失效：123 點，因為「俱樂部」降等。",
        "失效：123 积分，因为“俱乐部”降级。",
    ),
    (
        entry("hold", "available", "held", order="A-1", hold="till-1"),
        "123 points on hold for order A-1.",
        "預扣 123 點（訂單 A-1）。",
        "预扣 123 积分（订单 A-1）。",
    ),
    (
        entry("hold", "available", "held", hold="till-1", reason="Room 12", reference="B-7"),
        "123 points on hold: Room 12 (B-7).",
        "預扣 123 點：Room 12（B-7）。",
        "预扣 123 积分：Room 12（B-7）。",
    ),
    (
        entry("release", "held", "available", hold="till-1"),
        "123 points came back: the hold on them was let go.",
        "釋放 123 點：預扣已取消。",
        "释放 123 积分：预扣已取消。",
    ),
    (
        entry("lapse", "held", "available", hold="till-1"),
        "123 points came back: the hold on them ran out of time.",
        "釋放 123 點：預扣已逾時。",
        "释放 123 积分：预扣已超时。",
    ),
    (
        entry("grant", "issued", "available", reason="Cold coffee", approver="Mei"),
        "123 points given: Cold coffee (approved by Mei).",
        "贈與 123 點：Cold coffee（Mei 核准）。",
        "赠送 123 积分：Cold coffee（Mei 批准）。",
    ),
    (
        entry("restore", "spent", "available", spend="S-1", reason="Wrong member"),
        "123 points came back: their spending was undone (Wrong member).",
        "返還 123 點：該筆使用已撤銷（Wrong member）。",
        "退回 123 积分：该笔使用已撤销（Wrong member）。",
    ),
    (
        entry("merge", "available", "transit", into="M-2"),
        "123 points went over to member M-2, into whom this one was merged.",
        "本會員併入會員 M-2，轉出 123 點。",
        "本会员并入会员 M-2，转出 123 积分。",
    ),
    (
        entry("merge", "transit", "pending", **{"from": "M-1"}),
        "123 points came over from member M-1, who was merged into this one.",
        "會員 M-1 併入本會員，轉入 123 點。",
        "会员 M-1 并入本会员，转入 123 积分。",
    ),
    (
        entry("merge", "debt", "transit", **{"from": "M-1"}),
        "A debt of 123 points went over when two members were merged.",
        "會員合併，待扣的 123 點一併移轉。",
        "会员合并，待扣的 123 积分一并转移。",
    ),
    (
        entry("unmerge", "available", "transit", to="M-1"),
        "123 points went back to member M-1: the merge was undone.",
        "取消合併，移回 123 點給會員 M-1。",
        "撤销合并，转回 123 积分给会员 M-1。",
    ),
    (
        entry("unmerge", "transit", "available", **{"from": "M-2"}),
        "123 points came back from member M-2: the merge was undone.",
        "取消合併，會員 M-2 移回 123 點。",
        "撤销合并，会员 M-2 转回 123 积分。",
    ),
    (
        entry("unmerge", "transit", "debt", to="M-1"),
        "A debt of 123 points went back when a merge was undone.",
        "取消合併，待扣的 123 點一併移回。",
        "撤销合并，待扣的 123 积分一并转回。",
    ),
    (
        entry("forfeit", "available", "expired"),
        "Forfeited: 123 points, because the member was erased.",
        "失效：123 點，因為會員資料已刪除。",
        "失效：123 积分，因为会员资料已删除。",
    ),
    (
        entry("forgive", "forgiven", "debt"),
        "Forgiven: 123 points that the member owed when she was erased.",
        "會員資料已刪除，所欠的 123 點免還。",
        "会员资料已删除，所欠的 123 积分免还。",
    ),
    (
        entry("pay_out", "available", "paid_out", 12345, asset="deposit"),
        "123.45 of paid principal paid out, because the member was erased.",
        "會員資料已刪除，退還儲值本金 123.45。",
        "会员资料已删除，退还储值本金 123.45。",
    ),
    (
        entry("waive", "available", "expired", 12345, asset="deposit"),
        "123.45 of paid principal given up by the member, who was erased.",
        "會員資料已刪除，會員放棄儲值本金 123.45。",
        "会员资料已删除，会员放弃储值本金 123.45。",
    ),
    (
        entry("polished", "held", "available"),
        "123 points moved from on hold to available (polished).",
        "123 點由「預扣中」移至「可用」（polished）。",
        "123 积分由“预扣中”移至“可用”（polished）。",
    ),
]


@pytest.mark.parametrize(("moved", "en", "hant", "hans"), TOLD, ids=lambda value: getattr(value, "kind", ""))
def test_an_entry_says_why_value_moved_in_each_language(moved, en, hant, hans):
    told = [explain_entry(moved, PROGRAM, locale) for locale in ("en", "zh-Hant", "zh-Hans")]
    assert told == [en, hant, hans]


def kinds_in_the_engine():
    """The kinds of every ``Cause(…)`` of the engine; where the kind is a variable, every word of that file."""
    for path in sorted(Path(shuke.engine.__file__).parent.glob("*.py")):
        nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
        words = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        for node in nodes:
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "Cause":
                kind = node.args[0]
                yield from [kind.value] if isinstance(kind, ast.Constant) else words & KINDS


def test_the_sentences_are_those_of_the_kinds_the_engine_writes():
    assert set(kinds_in_the_engine()) == KINDS


def test_every_kind_with_a_sentence_is_told_above():
    assert KINDS - {moved.kind for moved, *_ in TOLD} == set()
