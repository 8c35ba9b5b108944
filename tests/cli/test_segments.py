"""segments add, list, refresh, remove, templates."""


def test_a_segment_is_made_filled_listed_and_removed(shop):
    made = shop("segments", "add", "buyers", "Buyers", "--where", "orders(lifetime) >= 1")
    assert (made.status, made.err) == (0, "buyers: 2 members, looked at daily.\n")
    assert shop("segments", "list", "--json").json == [
        {"segment_id": "buyers", "title": "Buyers", "condition": "orders(lifetime) >= 1", "members": 2}
    ]
    assert "Buyers" in shop("segments", "list").out
    assert shop("segments", "refresh", "buyers").err == "buyers: 2 members.\n"
    assert shop("members", "where", "segment(buyers)", "--count").status == 0
    again = shop("segments", "add", "buyers", "Buyers", "--where", "tag a")
    assert (again.status, "There is a segment buyers already." in again.err) == (2, True)
    shop("segments", "add", "both", "Both", "--where", "segment(buyers) and not tag a")
    assert "The segment both asks for buyers." in shop("segments", "remove", "buyers").err
    assert shop("segments", "remove", "both").status == 0
    assert shop("segments", "remove", "buyers").status == 0
    assert "There is no segment buyers." in shop("segments", "refresh", "buyers").err


def test_what_cannot_be_live_is_said(shop):
    said = shop("segments", "add", "x", "X", "--where", "a then b within 1 day", "--refresh", "live")
    assert (said.status, "cannot be asked all the time" in said.err) == (2, True)
    assert "is no way to look" in shop("segments", "add", "x", "X", "--where", "tag a", "--refresh", "often").err


def test_templates_are_shown_in_the_language_asked_for(shop):
    assert "資深顧客" in shop("segments", "templates", "--lang", "zh-Hant", "--much", "20000").out
