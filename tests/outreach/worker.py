"""A worker in a process of its own, to be killed: ``python -m tests.outreach.worker URL TENANT``."""

import asyncio
import sys

from shuke.books.connect import pool
from shuke.outreach.sending import Client
from shuke.outreach.webhooks import deliver
from shuke.runtime.clock import now


async def work(url: str, tenant: str) -> None:
    async with pool(url, tenant=tenant) as connections, Client(private=True) as client:
        await deliver(connections, now=now(), client=client, source="/shuke/test")


if __name__ == "__main__":
    asyncio.run(work(*sys.argv[1:]))
