"""One person everywhere: the same customer at the till, in the web shop and in a chat, found and never mixed up.

KEY=$(shuke keys add "Web shop" --source webshop --scope all)
python one-person-everywhere.py http://127.0.0.1:8000 $KEY
"""

import sys

from shuke.client import Shuke, calls

PROGRAM = """
id: tea-house
currency: TWD
zone: Asia/Taipei
assets: [{id: points, validity: {after: 12 months}}]
earning: [{id: base, asset: points, give: {per: {amount: 10, points: 1}}}]
identities: [{kind: phone, junk: ["+886227208889"]}]
"""


def bought(order_id, **who):
    """What an order is told with, and how its member was found."""
    order = shuke(calls.settle_order(order_id=order_id, lines=[{"amount": 48000}], **who))
    print(order_id, order["identified"]["detail"], [one["detail"] for one in order["identified"]["ignored"]])
    return order["member_id"]


with Shuke(sys.argv[1], key=sys.argv[2]) as shuke:
    draft = shuke(calls.put_draft(PROGRAM))
    shuke(calls.publish_draft(if_match=draft["etag"]))
    # A marketplace tells a buyer and the phone on the parcel; the till a phone in another spelling.
    mei = bought("shopify-1", identities={"shopify": "7123", "phone": "0912-345-678"})
    assert bought("till-1", identities={"phone": "+886 912 345 678"}) == mei
    # She signs up in the app and types in the code that was sent to her phone: now it is shown to be hers.
    told = {"phone": "0912345678", "email": "mei@example.com", "anonymous": "x1"}
    assert shuke(calls.identify_member(identities=told, verified=["phone"]))["member_id"] == mei
    # Somebody who only types her number in adds nothing to her.
    assert bought("web-1", identities={"phone": "0912345678", "email": "other@example.com"}) == mei
    # Her husband signs in at the same browser: it says of neither who it is.
    shuke(calls.identify_member(identities={"line": "U77", "anonymous": "x1"}))
    print(shuke(calls.resolve_member(identities={"anonymous": "x1"}))["identified"]["ignored"][0]["detail"])
    # Years later her operator gave the number to somebody else, who shows that it is his.
    new = {"kind": "phone", "value": "0912345678", "to_member": "m-2031", "reason": "recycled", "verified": True}
    shuke(calls.move_identity(**new))
    assert bought("till-2", identities={"phone": "0912345678"}) == "m-2031"
    assert bought("shopify-2", identities={"shopify": "7123"}) == mei
    for one in shuke(calls.list_identity_changes(mei))["items"]:
        print(one["at"][:10], one["what"], one["kind"], one["type"], one["reason"] or "")
