"""members where: found, counted, explained, and what is wrong with a condition."""


def test_members_are_found_by_a_condition(shop):
    said = shop("members", "where", "orders(lifetime) >= 1", "--json")
    assert (said.status, sorted(member["member_id"] for member in said.json)) == (0, ["M-1", "M-2"])
    assert "M-1" in shop("members", "where", "spend(lifetime) >= 2600").out
    assert shop("members", "where", "spend(lifetime) >= 9999").status == 1


def test_they_are_counted_and_the_count_says_how(shop):
    assert shop("members", "where", "member.months >= 1", "--count").out == "2 members. Looked at 2 members: all.\n"


def test_one_is_explained_in_the_language_asked_for(shop):
    said = shop("members", "where", "spend(lifetime) >= 3000 and not tag vip", "--explain", "M-1", "--lang", "zh-Hans")
    assert said.status == 1
    assert said.out.splitlines() == [
        "✗ 2 项条件中满足 1 项，需全部满足",
        "  ✗ 不符合：spend(lifetime) >= 3000（目前为 2600）",
        "  ✓ 以下条件不满足时才算符合",
        "    ✗ 不符合：tag vip（目前为[]）",
        "→ spend(lifetime) >= 3000：spend(lifetime) 还差 400",
    ]
    assert "Perhaps: M-1" in shop("members", "where", "true", "--explain", "m-1").err


def test_a_mistake_is_shown_at_its_place(shop):
    said = shop("members", "where", "tag vip adn tag new")
    assert said.status == 2
    assert "\n               ^" in said.err
    assert "Did you mean and?" in said.err
    assert "Did you mean points?" in shop("members", "where", "balance(point) > 1").err
