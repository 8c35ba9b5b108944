"""Writes docs/reference/events.md and events.schema.json from the catalogue, with examples of a shop of the tests.

    python -m scripts.write_events_page

A test fails when the two are not what this would write.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec import Struct, to_builtins

from shuke.outreach.webhooks import ping_of
from shuke.runtime.catalogue import PING, SUBSCRIBABLE, TOPICS, EndpointDisabled, Topic, schema_of
from tests.runtime.everything import Listening, story
from tests.shop import NOON

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference"
PAGE = REFERENCE / "events.md"
SCHEMAS = REFERENCE / "events.schema.json"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ENDPOINT = "whe_01kaq2mz8vf0x9v6r3s1t5w7y9"

INTRODUCTION = """\
# Events

What a webhook endpoint can be told of. How events are delivered, signed and tried again is in
[webhooks](webhooks.md). The JSON Schemas of all topics are in [events.schema.json](events.schema.json), and each
running server gives those of its own version at `GET /v1/webhooks/events`.

This page is written from the code (`python -m scripts.write_events_page`); its examples are what a shop of the tests
was really told.

* A topic always says the same: fields may be added, none is taken away. Ignore what you do not know.
* Amounts of assets are whole numbers in the asset's smallest unit, money in minor units of the program's currency.
* Moments are RFC 3339 in UTC. What never happens is `null`. `timestamp` says when it happened, which may be long
  before it was delivered.
* One activity may bring several events; `activity_id` holds them together.
* Nothing tells who a member is, beside her id: traits are named and not told.

An endpoint asks for topics, for families of topics (`order.*`) or for everything there is and will be (`*`).
"""


def examples() -> dict[str, dict[str, Any]]:
    """The first event of each topic in the story, as it is told."""
    shop = Listening(SUBSCRIBABLE)
    found: dict[str, dict[str, Any]] = {}
    for number, (activity, _) in enumerate(story(shop), start=41):
        already = len(shop.heard)
        shop.settle(activity)
        for _, event in shop.heard[already:]:
            event.fact.activity_id = f"act_{number}"
            found.setdefault(event.topic, _told(event.topic, event.fact, _EPOCH + timedelta(microseconds=event.at)))
    noon = _EPOCH + timedelta(microseconds=NOON)
    disabled = EndpointDisabled(_ENDPOINT, "ERP", "failing", noon - timedelta(days=1), 503, "not_accepted")
    found["webhook.disabled"] = _told("webhook.disabled", disabled, noon)
    ping = ping_of(_ENDPOINT, at=NOON)
    found[PING] = {name: ping[name] for name in ("type", "timestamp", "data")}
    return found


def _told(topic: str, fact: Struct, at: datetime) -> dict[str, Any]:
    told: dict[str, Any] = to_builtins({"type": topic, "timestamp": at, "data": fact})
    return told


def schemas() -> dict[str, Any]:
    """The JSON Schema of ``data`` by topic."""
    return {name: schema_of(topic) for name, topic in TOPICS.items()}


def page() -> str:
    """The reference page."""
    told = examples()
    parts = [INTRODUCTION, _contents()]
    described: dict[type[Struct], str] = {}
    for name, topic in TOPICS.items():
        parts.append(_section(name, topic, told[name], like=described.get(topic.fact)))
        described.setdefault(topic.fact, name)
    return "\n".join(parts)


def _contents() -> str:
    rows = ["| topic | English | 繁體中文 | 简体中文 |", "|---|---|---|---|"]
    for name, topic in TOPICS.items():
        titles = " | ".join(topic.title[language] for language in ("en", "zh-Hant", "zh-Hans"))
        rows.append(f"| [`{name}`](#{_anchor(name)}) | {titles} |")
    return "\n".join(rows) + "\n"


def _section(name: str, topic: Topic, example: dict[str, Any], *, like: str | None) -> str:
    schema = schema_of(topic)
    if like is not None:
        lines = [f"## {name}", "", f"{topic.title['en']} The fields are those of [`{like}`](#{_anchor(like)}).", ""]
    else:
        lines = [f"## {name}", "", f"{topic.title['en']} {schema['description']}", "", *_fields(schema)]
        for inner in schema.get("$defs", {}).values():
            lines += [f"{inner['title']}: {inner['description']}", "", *_fields(inner)]
    lines += ["```json", json.dumps(example, indent=2, ensure_ascii=False), "```", ""]
    return "\n".join(lines)


def _anchor(topic: str) -> str:
    return topic.replace(".", "")


def _fields(schema: dict[str, Any]) -> list[str]:
    rows = ["| field | type | what it says |", "|---|---|---|"]
    for name, field in schema["properties"].items():
        rows.append(f"| `{name}` | {_type(field)} | {field.get('description', '')} |")
    return [*rows, ""]


def _type(field: dict[str, Any]) -> str:
    if "anyOf" in field:
        return " or ".join(_type(one) for one in field["anyOf"])
    if "$ref" in field:
        return str(field["$ref"]).rpartition("/")[2]
    if "enum" in field:
        return " or ".join(f'"{one}"' for one in field["enum"])
    kind = str(field["type"])
    if kind == "array":
        return f"array of {_type(field['items'])}"
    if kind == "object":
        return f"object of {_type(field['additionalProperties'])}"
    return "moment" if field.get("format") == "date-time" else kind


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")
    SCHEMAS.write_text(json.dumps(schemas(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"wrote {PAGE} and {SCHEMAS}")


if __name__ == "__main__":
    main()
