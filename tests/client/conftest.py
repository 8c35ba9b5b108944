"""The served coffee shop of the API's tests."""

from tests.web.conftest import door

__all__ = ["door"]
