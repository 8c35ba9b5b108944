"""Shuke: loyalty programs written as documents, run by one pure engine, kept in double-entry books."""

__version__ = "0.1.0"
