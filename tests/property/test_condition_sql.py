"""Conditions, generated: SQL over real books, the engine and the plain reading answer alike for generated members."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shuke.books.audiences import Audience, problems
from shuke.books.connect import connect
from shuke.books.members import Place
from shuke.books.migrations import migrate
from shuke.engine.compiled import Compiled, Editions
from shuke.engine.member import Member, Purse, Standing, pack
from shuke.program.conditions import show
from shuke.program.document import read
from shuke.values.ids import bucket_of
from shuke.values.instants import NEVER, SECOND, calendar_of
from tests.engine.turns import series_of
from tests.property.condition_strategies import AUDIENCES, worlds
from tests.property.naive_conditions import holds

pytestmark = pytest.mark.database

ZONE = "America/New_York"
EDITIONS = Editions(
    [
        Compiled(
            read("""
id: bare
currency: USD
zone: America/New_York
assets: [{id: points}, {id: growth, scale: 1}]
ladders:
  - id: main
    tiers:
      - {id: basic}
      - {id: silver, entry: spend(24 months) >= 10}
      - {id: gold, entry: spend(24 months) >= 20}
""")
        )
    ]
)
MEMBER = """
    insert into member (bucket, member_id, status, joined_at, due_at, tiers, balances, traits, tags, seq, state)
    values (%s, %s, %s, 'epoch'::timestamptz + %s * interval '1 microsecond', null, %s, %s, %s, %s, %s, %s)
"""
ACTIVITY = """
    insert into activity (id, bucket, member_id, seq, source, key, type, occurred_at, recorded_at, version, digest,
        body, answer)
    values (%s, %s, %s, %s, 'test', %s, %s, %s, %s, 1, '', %s, '{}')
"""
PAYLOADS = st.dictionaries(st.sampled_from(("x", "c")), st.one_of(st.integers(-3, 5), st.sampled_from(("a", "b"))))
HAPPENED = st.lists(
    st.tuples(
        st.sampled_from(("a.b", "c.d")),
        st.integers(0, 200_000),
        st.one_of(st.just(0), st.integers(0, 59)),
        PAYLOADS,
    ),
    max_size=6,
)


@st.composite
def shops(draw):
    """Worlds of one moment, one for each member."""
    first = draw(worlds())
    calendar = calendar_of(ZONE)
    at = calendar.at_wall(first.today.toordinal(), first.minute * 60 * SECOND)
    found = []
    for world in [first, *draw(st.lists(worlds(), max_size=2))]:
        past = []
        for type_, minutes, seconds, payload in draw(HAPPENED):
            moment = at - (minutes // 7 * 60 + seconds) * SECOND
            past.append((type_, moment, date.fromordinal(calendar.day(moment)), payload))
        joined = min(world.joined, first.today)
        spent = {day: amount for day, amount in world.measures["spend"].items() if day <= first.today}
        measures = {"spend": spent, **counted(past)}
        days = {
            f"{kind}:{type_}": days_of(past, type_) for kind in ("streak", "days_since") for type_ in ("a.b", "c.d")
        }
        found.append(
            replace(
                world,
                today=first.today,
                minute=first.minute,
                joined=joined,
                purchase=None,
                line=None,
                payload=None,
                since=None,
                measures=measures,
                days=days,
                happened=past,
                at=at,
            )
        )
    return at, found


def counted(past):
    found = {"count:a.b": {}, "count:c.d": {}, "sum:a.b.c": {}}
    for type_, _, day, payload in past:
        found[f"count:{type_}"][day] = found[f"count:{type_}"].get(day, 0) + 1
        number = payload.get("c")
        if type_ == "a.b" and isinstance(number, int):
            found["sum:a.b.c"][day] = found["sum:a.b.c"].get(day, 0) + number * 1_000_000
    return found


def days_of(past, type_):
    return {day for told, _, day, _ in past if told == type_}


def member_of(world, number):
    calendar = calendar_of(ZONE)
    wall = (world.minute * 37) % 1440 * 60 * SECOND
    spent = {day.isoformat(): amount for day, amount in world.measures["spend"].items()}
    return Member(
        f"m{number}",
        min(calendar.at_wall(world.joined.toordinal(), wall), world.at),
        status="active",
        seq=1 + len(world.happened),
        due_at=NEVER,
        traits=world.traits,
        tags=world.tags,
        tiers={} if world.tier is None else {"main": world.tier},
        purses={asset: Purse(available=units) for asset, units in world.purses.items()},
        series={"spend": series_of(spent)} if spent else {},
        standings={} if world.since is None else {"main": Standing("silver", 0)},
    )


def text(value):
    return msgspec.json.encode(value).decode()


async def write_down(connection, worlds):
    number = 0
    for place, world in enumerate(worlds):
        member = member_of(world, place)
        bucket = bucket_of(member.id)
        balances = {asset: purse.available for asset, purse in member.purses.items()}
        row = (bucket, member.id, member.status, member.joined_at, text(member.tiers), text(balances))
        await connection.execute(MEMBER, (*row, text(member.traits), member.tags, member.seq, pack(member)))
        for seq, (type_, moment, _, payload) in enumerate(world.happened):
            number += 1
            at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=moment)
            body = {"type": type_, "member_id": member.id, "occurred_at": moment, "source": "test", "key": str(number)}
            row = (number, bucket, member.id, seq, str(number), type_, at, at, text({**body, "payload": payload}))
            await connection.execute(ACTIVITY, row)


@pytest.fixture(scope="module")
def books(books_url):
    """A loop, and a connection to empty books that lives in it."""
    migrate(books_url, tenant="condition_sql")
    with asyncio.Runner() as runner:
        connection = runner.run(connect(books_url, tenant="condition_sql"))
        yield runner, connection
        runner.run(connection.close())


async def answers(connection, tree, at, worlds):
    """For each member: whether she is found, and what SQL says by itself (``may``, ``must``)."""
    await write_down(connection, worlds)
    audience = Audience(tree, EDITIONS, at=at)
    found, _ = await audience.page(connection, behind=Place(), limit=200)
    size = await audience.size(connection)
    query = f"select m.member_id, {audience.sql.may}, {audience.sql.must} from member m"
    rows = await (await connection.execute(query.encode(), audience.sql.parameters)).fetchall()
    explained = {row[0]: await audience.explain(connection, row[0]) for row in rows}
    await connection.rollback()
    assert size.members == len(found), "the size is what is found"
    ids = {member.id for member in found}
    return {member_id: (member_id in ids, may, must, explained[member_id].holds) for member_id, may, must in rows}


@given(AUDIENCES, shops())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_an_audience_is_whom_the_plain_reading_finds(books, tree, shop):
    runner, connection = books
    at, found = shop
    assert [problem for problem in problems(tree, EDITIONS.at(at)) if problem.severity == "error"] == []
    told = runner.run(answers(connection, tree, at, found))
    for place, world in enumerate(found):
        wanted = holds(tree, world)
        is_found, may, must, explained = told[f"m{place}"]
        assert (is_found, explained) == (wanted, wanted), show(tree)
        assert must <= wanted <= may, show(tree)
