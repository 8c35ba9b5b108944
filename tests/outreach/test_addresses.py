"""Only addresses that may be called are called, whatever a URL says and whatever its name leads to."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable

import pytest
import trustme

from shuke.outreach.addresses import NotAllowed, check_url, is_allowed
from shuke.outreach.sending import Client, Sent
from tests.outreach.receiver import Receiver, receiving, status

ADDRESSES = [
    # address, in public, with the own network
    ("93.184.215.14", True, True),
    ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True, True),
    ("127.0.0.1", False, True),
    ("127.9.9.9", False, True),
    ("::1", False, True),
    ("10.1.2.3", False, True),
    ("172.31.255.255", False, True),
    ("172.32.0.1", True, True),
    ("192.168.0.1", False, True),
    ("100.64.0.1", False, True),
    ("fd00::1", False, True),
    ("169.254.169.254", False, False),
    ("fe80::1", False, False),
    ("fe80::1%eth0", False, False),
    ("0.0.0.0", False, False),
    ("::", False, False),
    ("224.0.0.1", False, False),
    ("ff02::1", False, False),
    ("255.255.255.255", False, False),
    ("240.0.0.1", False, False),
    ("192.0.2.1", False, False),
    ("198.18.0.1", False, False),
    ("2001:db8::1", False, False),
    ("::ffff:127.0.0.1", False, True),
    ("::ffff:169.254.169.254", False, False),
    ("::ffff:93.184.215.14", True, True),
    ("64:ff9b::7f00:1", False, True),
    ("64:ff9b::a9fe:a9fe", False, False),
    ("64:ff9b::5db8:d70e", True, True),
    ("2002:7f00:1::", False, True),
    ("2002:a9fe:a9fe::", False, False),
    ("not an address", False, False),
    ("", False, False),
]


@pytest.mark.parametrize(("address", "public", "private"), ADDRESSES)
def test_an_address_is_public_or_of_the_own_network_or_not_called(address: str, public: bool, private: bool):
    assert is_allowed(address, private=False) is public
    assert is_allowed(address, private=True) is private


URLS = [
    # URL, why it is not called in public, and why not with the own network
    ("https://example.com/hook", None, None),
    ("https://example.com:8443/hook?a=b", None, None),
    ("https://93.184.215.14/hook", None, None),
    ("https://台灣.example/鉤", None, None),
    ("http://example.com/hook", "url_not_https", None),
    ("https://127.0.0.1/hook", "address_not_public", None),
    ("https://[::1]/hook", "address_not_public", None),
    ("https://localhost/hook", "address_not_public", None),
    ("https://intranet/hook", "address_not_public", None),
    ("https://169.254.169.254/latest/meta-data", "address_not_public", "address_not_public"),
    ("https://ann:secret@example.com/hook", "url_with_credentials", "url_with_credentials"),
    ("https://example.com@evil.example/hook", "url_with_credentials", "url_with_credentials"),
    ("https://example.com/hook#part", "url_with_fragment", "url_with_fragment"),
    ("ftp://example.com/hook", "url_invalid", "url_invalid"),
    ("file:///etc/passwd", "url_invalid", "url_invalid"),
    ("example.com/hook", "url_invalid", "url_invalid"),
    ("https://", "url_invalid", "url_invalid"),
    ("https:///hook", "url_invalid", "url_invalid"),
    ("https://exa mple.com/", "url_invalid", "url_invalid"),
    ("https://example.com/\r\nx-admin: 1", "url_invalid", "url_invalid"),
    ("https://example.com:99999/", "url_invalid", "url_invalid"),
    ("", "url_invalid", "url_invalid"),
    ("https://example.com/" + "a" * 2000, "url_too_long", "url_too_long"),
]


def why(url: str, *, private: bool) -> str | None:
    try:
        check_url(url, private=private)
    except NotAllowed as refused:
        return refused.why
    return None


@pytest.mark.parametrize(("url", "public", "private"), URLS)
def test_a_url_that_is_not_called_says_why(url: str, public: str | None, private: str | None):
    assert why(url, private=False) == public
    assert why(url, private=True) == private


def leads_to(*addresses: str) -> Callable[[str, int], Awaitable[list[str]]]:
    """A name service that answers this for every name."""

    async def lookup(host: str, port: int) -> list[str]:
        return list(addresses)

    return lookup


async def post(client: Client, url: str) -> Sent:
    async with client:
        return await client.post(url, headers={"content-type": "application/json"}, content=b"{}")


@pytest.fixture
async def receiver():
    async with receiving() as opened:
        yield opened


@pytest.mark.parametrize(
    ("host", "trouble"),
    [
        ("127.0.0.1", "address_not_public"),
        ("2130706433", "address_not_public"),
        ("127.1", "address_not_public"),
        ("0x7f.0.0.1", "address_not_public"),
        ("0.0.0.0", "address_not_public"),
        ("localhost", "address_not_public"),
        ("localhost.", "address_not_public"),
        ("[::ffff:127.0.0.1]", "address_not_public"),
    ],
)
async def test_no_way_of_writing_it_leads_to_our_own_machine(receiver: Receiver, host: str, trouble: str):
    sent = await post(Client(), f"https://{host}:{receiver.port}/hook")
    assert (sent.answered, sent.trouble, receiver.connections) == (None, trouble, 0)


async def test_a_name_that_leads_to_our_own_machine_is_not_called(receiver: Receiver):
    sent = await post(Client(lookup=leads_to("127.0.0.1", "::1")), f"https://hooks.example:{receiver.port}/")
    assert (sent.answered, sent.trouble, receiver.connections) == (None, "address_not_public", 0)


async def test_of_the_addresses_of_a_name_only_those_that_may_be_called_are(receiver: Receiver):
    mixed = Client(private=True, lookup=leads_to("169.254.169.254", "127.0.0.1"))
    sent = await post(mixed, receiver.url(host="hooks.example"))
    assert (sent.answered, len(receiver.arrived)) == (204, 1)
    assert receiver.arrived[0].headers["host"] == f"hooks.example:{receiver.port}"


async def test_the_next_address_of_a_name_is_tried_where_nobody_listens_at_the_first(receiver: Receiver):
    sent = await post(Client(private=True, lookup=leads_to("127.0.0.9", "127.0.0.1")), receiver.url(host="h.example"))
    assert sent.answered == 204


async def test_a_name_that_leads_elsewhere_the_second_time_is_looked_at_again(receiver: Receiver):
    answers = [["127.0.0.1"], ["169.254.169.254"]]
    receiver.answer(status(204, connection="close"))

    async def rebinding(host: str, port: int) -> list[str]:
        return answers.pop(0)

    async with Client(private=True, lookup=rebinding) as client:
        url = receiver.url(host="hooks.example")
        first = await client.post(url, headers={}, content=b"")
        await receiver.closed()
        second = await client.post(url, headers={}, content=b"")
    assert (first.answered, second.answered, second.trouble) == (204, None, "address_not_public")


async def test_a_redirect_to_somewhere_else_is_not_followed(receiver: Receiver):
    receiver.answer(status(302, location="http://169.254.169.254/latest/meta-data"))
    sent = await post(Client(private=True), receiver.url())
    assert (sent.answered, len(receiver.arrived)) == (302, 1)


async def test_the_environment_does_not_choose_another_way(receiver: Receiver, monkeypatch: pytest.MonkeyPatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert (await post(Client(private=True), receiver.url())).answered == 204


# -- TLS --------------------------------------------------------------------------------------------------


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.mark.parametrize(
    ("certified", "trouble"),
    [("hooks.example", None), ("other.example", "tls_failed"), ("127.0.0.1", "tls_failed")],
)
async def test_the_certificate_must_be_of_the_name_though_an_address_is_called(certified: str, trouble: str | None):
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(certified).configure_cert(context)
    async with receiving(trust=context) as receiver:
        client = Client(private=True, trust=trusting(authority), lookup=leads_to("127.0.0.1"))
        sent = await post(client, receiver.url(host="hooks.example"))
    assert (sent.answered, sent.trouble) == (204 if trouble is None else None, trouble)
    assert len(receiver.arrived) == (1 if trouble is None else 0)


async def test_a_certificate_that_nobody_vouches_for_is_not_accepted():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("hooks.example").configure_cert(context)
    async with receiving(trust=context) as receiver:
        sent = await post(Client(private=True, lookup=leads_to("127.0.0.1")), receiver.url(host="hooks.example"))
    assert (sent.trouble, receiver.arrived) == ("tls_failed", [])


async def test_a_server_that_speaks_no_tls_is_told_apart():
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(plain, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        sent = await post(Client(private=True, lookup=leads_to("127.0.0.1")), f"https://hooks.example:{port}/")
    assert (sent.answered, sent.trouble) == (None, "tls_failed")
