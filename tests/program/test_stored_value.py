"""The chapter of stored value: what may be written, and what is refused."""

from typing import Any

import pytest
from pydantic import ValidationError

from shuke.program.stored_value import StoredValue

OFFER = {"id": "o", "pay": 100, "bonus": 20}


def test_principal_alone_is_enough() -> None:
    chapter = StoredValue.model_validate({"principal": "cash"})
    assert (chapter.match, chapter.spend, chapter.cooling_off_days) == ("best", "in_proportion", 7)
    assert chapter.refund_bonus == "proportional"


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"offers": [OFFER]}, "name the bonus asset"),
    ({"bonus": "gift", "offers": [OFFER | {"bonus": 0}]}, "greater than 0"),
    ({"limits": [{"card": "named"}, {"card": "named"}]}, "once"),
    ({"limits": [{"card": "metal"}]}, "named"),
    ({"refund_fee_percent": 100}, "less than 100"),
    ({"cooling_off_days": -1}, "greater than or equal to 0"),
    ({"refund_bonus": "never"}, "proportional"),
]


@pytest.mark.parametrize(("more", "said"), REFUSED)
def test_what_is_no_stored_value_is_refused(more: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        StoredValue.model_validate({"principal": "cash"} | more)
    assert said in str(refused.value)
