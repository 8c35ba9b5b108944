"""Ids: the TypeID specification's own vectors, buckets and digests."""

from collections import Counter
from uuid import UUID

import pytest

from shuke.values.ids import BUCKETS, bucket_of, digest, parse_typed_id, typed_id

# https://github.com/jetify-com/typeid/blob/main/spec/valid.yml
VALID = [
    ("00000000000000000000000000", "", "00000000-0000-0000-0000-000000000000"),
    ("00000000000000000000000001", "", "00000000-0000-0000-0000-000000000001"),
    ("0000000000000000000000000a", "", "00000000-0000-0000-0000-00000000000a"),
    ("0000000000000000000000000g", "", "00000000-0000-0000-0000-000000000010"),
    ("00000000000000000000000010", "", "00000000-0000-0000-0000-000000000020"),
    ("7zzzzzzzzzzzzzzzzzzzzzzzzz", "", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
    ("prefix_0123456789abcdefghjkmnpqrs", "prefix", "0110c853-1d09-52d8-d73e-1194e95b5f19"),
    ("prefix_01h455vb4pex5vsknk084sn02q", "prefix", "01890a5d-ac96-774b-bcce-b302099a8057"),
    ("pre_fix_00000000000000000000000000", "pre_fix", "00000000-0000-0000-0000-000000000000"),
]

# https://github.com/jetify-com/typeid/blob/main/spec/invalid.yml
INVALID = [
    "PREFIX_00000000000000000000000000",
    "12345_00000000000000000000000000",
    "pre.fix_00000000000000000000000000",
    "préfix_00000000000000000000000000",
    "  prefix_00000000000000000000000000",
    "a" * 64 + "_00000000000000000000000000",
    "_00000000000000000000000000",
    "_",
    "prefix_1234567890123456789012345",
    "prefix_123456789012345678901234567",
    "prefix_1234567890123456789012345 ",
    "prefix_0123456789ABCDEFGHJKMNPQRS",
    "prefix_123456789-123456789-123456",
    "prefix_ooooooiiiiiiuuuuuuulllllll",
    "prefix_i23456789ol23456789oi23456",
    "prefix_123456789-0123456789-0123456",
    "prefix_8zzzzzzzzzzzzzzzzzzzzzzzzz",
    "_prefix_00000000000000000000000000",
    "prefix__00000000000000000000000000",
    "",
    "prefix",
]


@pytest.mark.parametrize(("text", "prefix", "uuid"), VALID)
def test_ids_are_written_and_read_as_the_specification_says(text, prefix, uuid):
    assert typed_id(prefix, UUID(uuid).bytes) == text
    assert parse_typed_id(text) == (prefix, UUID(uuid).bytes)


@pytest.mark.parametrize("text", INVALID)
def test_what_the_specification_forbids_is_refused(text):
    with pytest.raises(ValueError, match="is not an id"):
        parse_typed_id(text)


def test_a_prefix_or_a_number_of_bytes_out_of_bounds_is_refused():
    with pytest.raises(ValueError, match="cannot begin an id"):
        typed_id("Member", bytes(16))
    with pytest.raises(ValueError, match="16 bytes"):
        typed_id("mbr", bytes(15))


def test_ids_sort_as_their_bytes_do():
    births = [bytes([high, low, *([255 - low] * 14)]) for high in (0, 1, 127, 255) for low in (0, 9, 200)]
    assert [parse_typed_id(text)[1] for text in sorted(typed_id("mbr", birth) for birth in births)] == births


def test_a_member_stays_in_its_bucket_on_every_machine_for_ever():
    # The CRC-32 of 123456789 is published as the check of the algorithm: 0xCBF43926, and 0x26 is 38.
    told = ["123456789", "", "1", "mbr_01h455vb4pex5vsknk084sn02q", "會員-7"]
    assert [bucket_of(member_id) for member_id in told] == [38, 0, 55, 1, 35]


@pytest.mark.parametrize("pattern", ["{}", "m{:07d}", "mbr-{:x}", "CARD8{:015d}"])
def test_members_spread_evenly_over_the_buckets(pattern):
    count = 64_000
    sizes = Counter(bucket_of(pattern.format(number)) for number in range(count))
    assert len(sizes) == BUCKETS
    assert 0.8 * count / BUCKETS < min(sizes.values())
    assert max(sizes.values()) < 1.2 * count / BUCKETS


def test_a_digest_tells_bodies_apart():
    assert digest(b"") == bytes.fromhex("cae66941d9efbd404e4d88758ea67670")
    assert len(digest(b"a" * 10_000)) == 16
    assert digest(b'{"amount":1}') != digest(b'{"amount":2}')
