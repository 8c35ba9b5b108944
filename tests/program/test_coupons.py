"""Coupon templates: what may be written, and what is refused."""

from typing import Any

import pytest
from pydantic import ValidationError

from shuke.program.coupons import CouponTemplate, CouponValidity

TEN: dict[str, Any] = {"id": "ten", "give": {"amount_off": 10}}


def test_a_template_needs_no_more_than_an_id_and_what_it_gives() -> None:
    template = CouponTemplate.model_validate(TEN)
    assert (template.limits.per_order, template.consideration, template.on_refund) == (1, "free", "restore")
    assert not template.valid.ends


def test_a_template_reads_back_as_it_was_written() -> None:
    full = TEN | {
        "lines": "line.category = tea",
        "when": "order.amount >= 100",
        "channels": ["app"],
        "valid": {"from": "2026-05-01", "lasts": "7 days"},
        "limits": {"per_member": 2, "total": 100},
        "cost_share": [{"bearer": "shop", "percent": "66.6"}, {"bearer": "brand", "percent": "33.4"}],
        "codes": "shared",
        "code": "HELLO",
        "consideration": "paid",
    }
    template = CouponTemplate.model_validate(full)
    written = template.model_dump(mode="json", exclude_unset=True, by_alias=True)
    assert CouponTemplate.model_validate(written) == template


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"codes": "shared"}, "Write the code where codes are shared"),
    ({"code": "HELLO"}, "Write the code where codes are shared"),
    ({"codes": "shared", "code": "X"}, "at least 3 characters"),
    ({"cost_share": [{"bearer": "shop", "percent": 50}]}, "sum to 100 percent"),
    ({"valid": {"lasts": "a while"}}, "is not a period"),
    ({"valid": {"until": "31.05.2026"}}, "match pattern"),
    ({"renewed_for": "soon"}, "is not a period"),
    ({"limits": {"per_member": 0}}, "greater than or equal to 1"),
    ({"price": 5}, "Extra inputs"),
]


@pytest.mark.parametrize(("more", "said"), REFUSED)
def test_what_is_no_template_is_refused(more: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        CouponTemplate.model_validate(TEN | more)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("valid", "ends"),
    [({}, False), ({"from": "2026-01-01"}, False), ({"until": "2026-01-01"}, True), ({"lasts": "1 year"}, True)],
)
def test_whether_a_coupon_ever_ends_can_be_asked(valid: dict[str, str], ends: bool) -> None:
    assert CouponValidity.model_validate(valid).ends is ends
