"""The whole life of an order over the API.  pip install shuke standardwebhooks

In one terminal:  SHUKE_WEBHOOKS_ALLOW_PRIVATE=1 shuke serve       (so that this machine may be told of events)
In another:       KEY=$(shuke keys add "Web shop" --source webshop --scope all)
                  python first-membership.py http://127.0.0.1:8000 $KEY
"""

import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

from standardwebhooks import Webhook

from shuke.client import Shuke, calls

PROGRAM = """
id: tea-house
currency: TWD
zone: Asia/Taipei
assets: [{id: points, unit: point, validity: {after: 12 months}, redemption: {worth: 1}}]
earning: [{id: base, asset: points, give: {per: {amount: 10, points: 1}}}]
"""
heard = []


class Hook(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        heard.append(Webhook(secret).verify(body, dict(self.headers)))  # raises if it is not from us
        self.send_response(204)
        self.end_headers()


with Shuke(sys.argv[1], key=sys.argv[2]) as shuke, HTTPServer(("127.0.0.1", 0), Hook) as hooks:
    draft = shuke(calls.put_draft(PROGRAM))
    shuke(calls.publish_draft(if_match=draft["etag"]))
    url = f"http://127.0.0.1:{hooks.server_port}"
    secret = shuke(calls.create_endpoint(url=url, topics=["order.settled", "order.refunded"]))["secret"]
    mei = shuke(calls.create_member(identities={"phone": "+886912345678"}))["member_id"]
    shuke(calls.create_member(member_id="m-2", traits={"name": "Ann"}))
    cart = {"member_id": mei, "order_id": "A-1", "lines": [{"amount": 48000, "sku": "oolong", "quantity": 2}]}
    print("to pay", shuke(calls.quote_cart(**cart))["payable"])
    held = shuke(calls.hold_cart(**cart))
    print("earned", shuke(calls.commit_cart(held["hold"], member_id=mei, order_id="A-1"))["earned"])
    print("back", shuke(calls.refund_order("A-1", lines=[{"line": 1, "quantity": 1}]))["money"])
    for line in shuke(calls.get_statement(mei))["lines"]:
        print(line["occurred_at"], line["change"], line["sentence"])
    while len(heard) < 2:
        hooks.handle_request()
    print("heard", sorted(event["type"] for event in heard))
