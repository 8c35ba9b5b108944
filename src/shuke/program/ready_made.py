"""Segments to begin with: conditions that ask for nothing but what every program counts.

``{often}`` stands for orders in twelve months, ``{much}`` for what somebody spends in them in currency units,
``{cycle}`` for the days after which customers usually come back.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from shuke.program.conditions import Node, parse

Titles = dict[str, str]


class ReadyMade(NamedTuple):
    """A segment to take over; ``titles`` by language."""

    id: str
    titles: Titles
    template: str

    def condition(self, *, often: int, much: int, cycle: int) -> Node:
        """The condition with the shop's own numbers."""
        return parse(self.template.format(often=often, much=much, cycle=cycle, late=2 * cycle, few=max(1, often // 3)))


def _made(id_: str, en: str, zh_hant: str, zh_hans: str, template: str) -> ReadyMade:
    return ReadyMade(id_, {"en": en, "zh-Hant": zh_hant, "zh-Hans": zh_hans}, template)


_RECENT: Final = "days_since(order.paid) <= {late}"
_GONE: Final = "days_since(order.paid) > {late}"
_OFTEN, _SELDOM = "orders(12 months) >= {often}", "orders(12 months) < {often}"
_MUCH, _LITTLE = "spend(12 months) >= {much}", "spend(12 months) < {much}"

SEGMENTS: Final[tuple[ReadyMade, ...]] = (
    # The five classes of customers
    _made(
        "senior", "Senior: often and much", "資深顧客：常買且買得多", "资深顾客：常买且买得多", f"{_OFTEN} and {_MUCH}"
    ),
    _made(
        "middle",
        "Middle: from time to time",
        "中級顧客：偶爾購買",
        "中级顾客：偶尔购买",
        f"orders(12 months) >= {{few}} and not ({_OFTEN} and {_MUCH})",
    ),
    _made(
        "senior-inactive",
        "Senior, inactive: spent much, but not lately",
        "資深沉睡顧客：曾高額消費，近期未購買",
        "资深沉睡顾客：曾高额消费，近期未购买",
        f"spend(lifetime) >= {{much}} and {_GONE}",
    ),
    _made(
        "junior",
        "Junior: few and small",
        "初級顧客：買得少且金額小",
        "初级顾客：买得少且金额小",
        f"orders(12 months) > 0 and orders(12 months) < {{few}} and {_LITTLE}",
    ),
    _made("potential", "Potential: never bought", "潛在顧客：從未購買", "潜在顾客：从未购买", "orders(lifetime) = 0"),
    # Recency, frequency, money
    _made("rfm-champions", "RFM: champions", "RFM：重要價值", "RFM：重要价值", f"{_RECENT} and {_OFTEN} and {_MUCH}"),
    _made(
        "rfm-growing",
        "RFM: big spenders to bring back more often",
        "RFM：重要發展",
        "RFM：重要发展",
        f"{_RECENT} and {_SELDOM} and {_MUCH}",
    ),
    _made("rfm-keep", "RFM: to keep", "RFM：重要保持", "RFM：重要保持", f"{_GONE} and {_OFTEN} and {_MUCH}"),
    _made("rfm-win-back", "RFM: to win back", "RFM：重要挽留", "RFM：重要挽留", f"{_GONE} and {_SELDOM} and {_MUCH}"),
    _made(
        "rfm-regulars", "RFM: small regulars", "RFM：一般價值", "RFM：一般价值", f"{_RECENT} and {_OFTEN} and {_LITTLE}"
    ),
    _made(
        "rfm-new", "RFM: small and recent", "RFM：一般發展", "RFM：一般发展", f"{_RECENT} and {_SELDOM} and {_LITTLE}"
    ),
    _made(
        "rfm-fading",
        "RFM: small regulars who stay away",
        "RFM：一般保持",
        "RFM：一般保持",
        f"{_GONE} and {_OFTEN} and {_LITTLE}",
    ),
    _made("rfm-lost", "RFM: small and gone", "RFM：一般挽留", "RFM：一般挽留", f"{_GONE} and {_SELDOM} and {_LITTLE}"),
    # Stages of life
    _made(
        "new",
        "New: joined in the last 30 days",
        "新會員：30 天內加入",
        "新会员：30 天内加入",
        "member.joined > 30 days ago",
    ),
    _made("first-order", "Bought once", "首購會員", "首购会员", "orders(lifetime) = 1"),
    _made(
        "active",
        "Active: bought within two cycles",
        "活躍會員：兩個週期內有購買",
        "活跃会员：两个周期内有购买",
        _RECENT,
    ),
    _made(
        "sleeping",
        "Sleeping: not for two cycles",
        "沉睡會員：超過兩個週期未購買",
        "沉睡会员：超过两个周期未购买",
        _GONE,
    ),
    _made(
        "cycle-due",
        "Purchase cycle due",
        "回購週期已到",
        "复购周期已到",
        "days_since(order.paid) between {cycle} and {late}",
    ),
    _made("birthday-soon", "Birthday in the next 7 days", "7 天內生日", "7 天内生日", "member.birthday in next 7 days"),
)
