"""Which addresses may be called. Whoever can name a URL could otherwise have us call what only we can reach.

A URL is looked at when it is told (``check_url``). That is not enough: its name may lead elsewhere tomorrow. So a
connection looks its name up itself, and goes to an address only after having looked at that very address
(``OnlyAllowed``). Source: OWASP, Server-Side Request Forgery Prevention Cheat Sheet.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, Final

import httpcore
import httpx

Lookup = Callable[[str, int], Awaitable[list[str]]]

_URL_LONGEST: Final = 2_000
_ADDRESSES_MOST: Final = 4  # tried of those a name leads to

# What one's own network may be made of. Link-local stays out also there: clouds keep credentials at such addresses.
_PRIVATE: Final = tuple(
    ip_network(text)
    for text in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "::1/128", "fc00::/7")
)
_EMBEDDED: Final = ip_network("64:ff9b::/96")  # an IPv4 address behind a translator (RFC 6052)


class NotAllowed(Exception):
    """This URL or address is not called. ``why`` is a code."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


def is_allowed(text: str, *, private: bool) -> bool:
    """Whether an IP address may be called: a public one, or with ``private`` one of one's own network."""
    try:
        return _is_allowed(ip_address(text), private=private)
    except ValueError:
        return False


def _is_allowed(address: IPv4Address | IPv6Address, *, private: bool) -> bool:
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is None and address in _EMBEDDED:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return _is_allowed(inner, private=private)
    if private and any(address in network for network in _PRIVATE):
        return True
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def check_url(text: str, *, private: bool) -> httpcore.URL:
    """The URL as it will be called. ``NotAllowed`` says why not: ``url_invalid``, ``url_too_long``,
    ``url_not_https`` (http is for ``private`` only), ``url_with_credentials``, ``url_with_fragment``,
    ``address_not_public``."""
    if len(text) > _URL_LONGEST:
        raise NotAllowed("url_too_long")
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, ValueError) as invalid:
        raise NotAllowed("url_invalid") from invalid
    readable = text.isprintable() and " " not in text and (url.port is None or 0 < url.port < 1 << 16)
    if not url.host or url.scheme not in ("http", "https") or not readable:
        raise NotAllowed("url_invalid")
    if url.scheme == "http" and not private:
        raise NotAllowed("url_not_https")
    if url.userinfo:
        raise NotAllowed("url_with_credentials")
    if url.fragment:
        raise NotAllowed("url_with_fragment")
    if not _may_be_allowed(url.host, private=private):
        raise NotAllowed("address_not_public")
    return httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)


def _may_be_allowed(host: str, *, private: bool) -> bool:
    """Whether a host could be called at all: where it is no address, only its connection will know."""
    try:
        return _is_allowed(ip_address(host), private=private)
    except ValueError:
        return private or "." in host.strip(".")


async def look_up(host: str, port: int) -> list[str]:
    """The addresses a name leads to, in the system's order of preference. ``NotAllowed("not_resolved")`` if none."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as unknown:
        raise NotAllowed("not_resolved") from unknown
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class OnlyAllowed(httpcore.AsyncNetworkBackend):
    """Connects to addresses that may be called, and to no others. TLS is still that of the URL's own name."""

    def __init__(self, *, private: bool, lookup: Lookup = look_up) -> None:
        self._private = private
        self._lookup = lookup
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Raises ``NotAllowed`` if the name leads to no address that may be called."""
        allowed = [found for found in await self._lookup(host, port) if is_allowed(found, private=self._private)]
        if not allowed:
            raise NotAllowed("address_not_public")
        *others, last = allowed[:_ADDRESSES_MOST]
        for address in others:
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._network.connect_tcp(last, port, timeout, local_address, socket_options)

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own signature
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        raise NotAllowed("address_not_public")
