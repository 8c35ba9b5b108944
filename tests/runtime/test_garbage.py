"""The collector of cycles is still while batches are settled, and only then."""

import gc

import pytest

from shuke.runtime.garbage import uncollected


def test_the_collector_rests_until_the_last_of_overlapping_batches_ends():
    first, second = uncollected(), uncollected()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert not gc.isenabled()
    second.__exit__(None, None, None)
    assert gc.isenabled()


def test_a_batch_that_fails_wakes_the_collector_too():
    with pytest.raises(KeyError), uncollected():
        raise KeyError
    assert gc.isenabled()


def test_who_has_turned_the_collector_off_finds_it_off():
    gc.disable()
    try:
        with uncollected():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
