"""A Python client of the API: typed, sync and async, with retries that are safe because a write is done once.

    from shuke.client import Shuke, calls

    with Shuke("https://members.example.com", key="shk_…") as shuke:
        settled = shuke(calls.settle_order(order_id="o-1", member_id="m-1", lines=[{"amount": 1250}]))
        print(settled["earned"])

``calls`` has a function for every request, named as in the API's document, and the types of what goes in and comes
out. A call made once may be sent any number of times: the server does it once.
"""

from shuke.client.transport import AsyncShuke, Call, Problem, Shuke, Unreachable

__all__ = ["AsyncShuke", "Call", "Problem", "Shuke", "Unreachable"]
