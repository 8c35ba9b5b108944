"""Doors that are opened over HTTP: the API for machines; later the console, the member portal and the till."""
