"""The demo's report: tiers, points and what they cost, coupons, top members, and one member's statement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, LiteralString

from rich.text import Text

from shuke.books.connect import connect
from shuke.books.programs import editions_of, published
from shuke.books.statements import last_entries, member
from shuke.cli.statement import Statement
from shuke.cli.statement import draw as draw_statement
from shuke.cli.terminal import out, table, title
from shuke.values.amounts import format_amount

if TYPE_CHECKING:
    from shuke.books.load import Connection
    from shuke.cli.connection import Books
    from shuke.engine.sentences import Locale
    from shuke.intake.importer import ImportReport
    from shuke.program.document import Program

TIERS: LiteralString = """
    with spent as (select bucket, member_id, sum(amount) as spent, count(*) as orders from orders group by 1, 2)
    select coalesce(m.tiers ->> 'main', 'member') as tier, count(*), coalesce(sum(s.spent), 0)::bigint,
        coalesce(sum(s.orders), 0)::bigint
    from member m left join spent s using (bucket, member_id) group by 1
"""

POINTS: LiteralString = """
    select extract(quarter from occurred_at at time zone %(zone)s)::int as quarter,
        coalesce(sum(amount) filter (where debit = 'issued'), 0)::bigint,
        coalesce(sum(amount) filter (where credit = 'spent'), 0)::bigint,
        coalesce(sum(amount) filter (where credit = 'expired'), 0)::bigint
    from entry where asset = 'points' and occurred_at < %(end)s::timestamp at time zone %(zone)s
    group by 1 order by 1
"""

OUTSTANDING: LiteralString = "select coalesce(sum((balances ->> 'points')::bigint), 0)::bigint from member"

RULES: LiteralString = """
    select rule, sum(amount)::bigint, count(distinct member_id) from entry
    where asset = 'points' and kind = 'earn' group by 1 order by 2 desc
"""

COUPONS: LiteralString = "select state, count(*) from coupon group by 1"

TOP: LiteralString = """
    select m.member_id, m.tiers ->> 'main', o.spent::bigint, o.orders, (m.balances ->> 'points')::bigint,
        e.spent::bigint
    from (select bucket, member_id, sum(amount) as spent, count(*) as orders from orders group by 1, 2
          order by 3 desc limit 5) o
    join member m using (bucket, member_id)
    left join (select bucket, member_id, sum(amount) as spent from entry where credit = 'spent' group by 1, 2) e
        using (bucket, member_id)
    order by o.spent desc
"""

ONE: LiteralString = """
    select e.member_id from entry e join member m using (bucket, member_id)
    where m.tiers ->> 'main' = 'gold' and e.kind in ('spend', 'expire')
    group by 1 having count(*) filter (where e.kind = 'expire') > 0
    order by count(*) filter (where e.kind = 'spend') desc, 1 limit 1
"""

# key: (en, zh-Hant, zh-Hans)
_SAID: Final[dict[str, tuple[str, str, str]]] = {
    "heading": ("The year 2017", "2017 年", "2017 年"),
    "sales": ("Sales", "銷售額", "销售额"),
    "tiers": ("Tiers", "會員等級", "会员等级"),
    "tier": ("tier", "等級", "等级"),
    "members": ("members", "會員", "会员"),
    "orders": ("orders", "訂單", "订单"),
    "spend": ("spend", "消費", "消费"),
    "share": ("share", "占比", "占比"),
    "aov": ("per order", "客單價", "客单价"),
    "points": ("Points", "點數", "积分"),
    "quarter": ("quarter", "季", "季度"),
    "issued": ("issued", "發出", "发放"),
    "spent": ("spent", "使用", "使用"),
    "expired": ("expired", "到期", "过期"),
    "year": ("year", "全年", "全年"),
    "cost": (
        "Outstanding at the end of the year: {outstanding} points. Spent points cost {spent}, outstanding ones "
        "would cost {owed}; together {percent} of sales.",
        "年底未使用 {outstanding} 點。已使用的點數成本為 {spent}，"
        "未使用的若全數使用為 {owed}，合計占銷售額 {percent}。",
        "年底未使用 {outstanding} 分。已使用积分的成本为 {spent}，"
        "未使用的如全部使用为 {owed}，合计占销售额 {percent}。",
    ),
    "rules": ("What gave the points", "點數從何而來", "积分从何而来"),
    "rule": ("rule", "規則", "规则"),
    "coupons": ("Coupons", "優惠券", "优惠券"),
    "coupons_said": (
        "{issued} issued, {redeemed} redeemed ({percent}), {expired} expired, {left} still in hand.",
        "發出 {issued} 張，核銷 {redeemed} 張（{percent}），到期 {expired} 張，尚可使用 {left} 張。",
        "发放 {issued} 张，核销 {redeemed} 张（{percent}），过期 {expired} 张，尚可使用 {left} 张。",
    ),
    "refused": ("Refused, each with its reason", "未受理（均附原因）", "未受理（均附原因）"),
    "top": ("Top members", "消費最多的會員", "消费最多的会员"),
    "member": ("member", "會員", "会员"),
    "balance": ("points", "點數", "积分"),
    "statement": ("One member's statement", "一位會員的對帳單", "一位会员的对账单"),
}


async def draw(books: Books, program: Program, locale: Locale, *, report: ImportReport, findings: int) -> None:
    """Print the report. ``findings`` of the proof are repeated at the end, where they cannot be overlooked."""
    from shuke.engine.sentences import told
    from shuke.runtime.clock import now

    say = _Speaker(program, locale)
    async with await connect(books.url, tenant=books.tenant) as connection:
        sales = await _tiers(connection, say)
        await _points(connection, say, sales)
        rules = {rule.id: told(rule.title, locale) or rule.id for rule in program.earning}
        await _rules(connection, say, rules)
        await _coupons(connection, say, report)
        await _top(connection, say)
        await _statement(connection, say, now())
    if findings:
        out().print(Text(f"{findings} findings in the books", style="bold red"))


class _Speaker:
    """Words and numbers of the report in one language."""

    def __init__(self, program: Program, locale: Locale) -> None:
        from shuke.engine.sentences import told

        self.program, self.locale = program, locale
        self._place = ("en", "zh-Hant", "zh-Hans").index(locale)
        self.tiers = {tier.id: told(tier.title, locale) or tier.id for tier in program.ladders[0].tiers}

    def __call__(self, key: str, **values: str) -> str:
        return _SAID[key][self._place].format(**values)

    def money(self, amount: int) -> str:
        return f"{self.program.currency} {format_amount(amount, scale=self.program.scale, group=True)}"

    @staticmethod
    def percent(part: int, whole: int) -> str:
        """To a tenth, rounded half up, without a float."""
        tenths = (part * 2000 + whole) // (2 * whole) if whole else 0
        return f"{tenths // 10}.{tenths % 10} %"


async def _rows(connection: Connection, query: LiteralString, values: dict[str, Any] | None = None) -> list[Any]:
    cursor = await connection.execute(query, values)
    return await cursor.fetchall()


async def _tiers(connection: Connection, say: _Speaker) -> int:
    """Print the tiers; returns the sales of the year, minor units."""
    found: dict[str, tuple[int, int, int]] = {row[0]: row[1:] for row in await _rows(connection, TIERS)}
    sales = sum(spent for _, spent, _ in found.values())
    everybody = sum(count for count, _, _ in found.values())
    title(f"{say('tiers')} · {say('sales')} {say.money(sales)}")
    rows = []
    for tier, name in reversed(say.tiers.items()):
        count, spent, orders = found.get(tier, (0, 0, 0))
        rows.append(
            (
                name,
                f"{count:,}",
                say.percent(count, everybody),
                f"{orders:,}",
                say.money(spent),
                say.percent(spent, sales),
                say.money(spent // orders) if orders else "",
            )
        )
    left = (say("tier"), "left")
    rights = [(say(key), "right") for key in ("members", "share", "orders", "spend", "share", "aov")]
    table([left, *rights], rows)  # type: ignore[list-item]  # literals
    return sales


async def _points(connection: Connection, say: _Speaker, sales: int) -> None:
    title(say("points"))
    found = await _rows(connection, POINTS, {"zone": say.program.zone, "end": "2018-01-02"})
    quarters: dict[int, list[int]] = {}
    for quarter, *amounts in found:
        quarters[quarter] = amounts
    sums = [sum(column) for column in zip(*quarters.values(), strict=True)]
    rows = [(f"Q{quarter}", *(f"{amount:,}" for amount in amounts)) for quarter, amounts in quarters.items()]
    rows.append((say("year"), *(f"{amount:,}" for amount in sums)))
    head = [(say("quarter"), "left"), *((say(key), "right") for key in ("issued", "spent", "expired"))]
    table(head, rows)  # type: ignore[arg-type]  # literals
    ((outstanding,),) = await _rows(connection, OUTSTANDING)
    # A point is worth a cent, and costs the shop that much when it is spent.
    said = say(
        "cost",
        outstanding=f"{outstanding:,}",
        spent=say.money(sums[1]),
        owed=say.money(outstanding),
        percent=say.percent(sums[1] + outstanding, sales),
    )
    out().print(Text(said))


async def _rules(connection: Connection, say: _Speaker, names: dict[str, str]) -> None:
    title(say("rules"))
    found = await _rows(connection, RULES)
    rows = [(names[rule], f"{points:,}", f"{members:,}") for rule, points, members in found]
    table([(say("rule"), "left"), (say("points"), "right"), (say("members"), "right")], rows)


async def _coupons(connection: Connection, say: _Speaker, report: ImportReport) -> None:
    title(say("coupons"))
    counts: dict[str, int] = dict(await _rows(connection, COUPONS))
    issued = sum(counts.values())
    said = say(
        "coupons_said",
        issued=f"{issued:,}",
        redeemed=f"{counts.get('redeemed', 0):,}",
        percent=say.percent(counts.get("redeemed", 0), issued),
        expired=f"{counts.get('expired', 0):,}",
        left=f"{counts.get('issued', 0):,}",
    )
    out().print(Text(said))
    if report.refused:
        reasons = ", ".join(f"{code} {count:,}" for code, count in sorted(report.refused.items()))
        out().print(Text(f"{say('refused')}: {reasons}"))


async def _top(connection: Connection, say: _Speaker) -> None:
    title(say("top"))
    rows = [
        (member_id, say.tiers.get(tier, tier), f"{orders:,}", say.money(spent), f"{points or 0:,}", f"{used or 0:,}")
        for member_id, tier, spent, orders, points, used in await _rows(connection, TOP)
    ]
    head = [(say("member"), "left"), (say("tier"), "left")]
    rights = [(say(key), "right") for key in ("orders", "spend", "balance", "spent")]
    table([*head, *rights], rows)  # type: ignore[list-item]  # literals


async def _statement(connection: Connection, say: _Speaker, asked_at: int) -> None:
    found = await _rows(connection, ONE)
    if not found:
        return
    member_id = found[0][0]
    her = await member(connection, member_id)
    assert her is not None  # she was just found
    editions = editions_of(await published(connection))
    title(say("statement"))
    lines = await last_entries(connection, member_id, most=12)
    del asked_at  # the year is over: what would be due since then is not late
    draw_statement(Statement(her, lines, editions, asked_at=her.now), say.locale)
