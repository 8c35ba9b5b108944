"""Real libraries that track: installed once, driven, and watched on the wire."""

from __future__ import annotations

import asyncio
import gzip
import json
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import segment.analytics

HERE = Path(__file__).parent / "clients"
CACHE = Path(__file__).parents[2] / ".tools" / "clients"
"""Beside the other tools of this checkout; may be deleted at any time."""

Send = Callable[..., Awaitable[list[str]]]
"""(address, key, messages, **options of the library) -> what the library reports as lost."""


def install() -> Path:
    """The folder that holds the libraries for Node at the versions of ``package-lock.json``.

    Installed the first time a checkout needs these versions. Fails, saying what is missing, where that cannot be:
    a library nobody has tried is not one that works.
    """
    told = [HERE / "package.json", HERE / "package-lock.json"]
    folder = CACHE / sha256(b"".join(path.read_bytes() for path in told)).hexdigest()[:16]
    if folder.exists():
        return folder
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            raise RuntimeError(f"these tests need {tool} (Node.js 18 or newer), or: pytest -m 'not node'")
    CACHE.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(dir=CACHE))
    for path in told:
        shutil.copy(path, making)
    command = ["npm", "ci", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(command, cwd=making, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        shutil.rmtree(making)
        raise RuntimeError(f"npm could not install {HERE / 'package.json'}:\n{done.stderr or done.stdout}")
    try:
        making.rename(folder)
    except OSError:  # another process was faster
        shutil.rmtree(making)
    return folder


def node(library: str, folder: Path) -> Send:
    """A library for Node (``segment``, ``rudderstack``), or for a ``page``, in a process of its own."""

    async def send(address: str, key: str, messages: list[dict[str, Any]], **options: Any) -> list[str]:
        told = {"library": library, "address": address, "key": key, "options": options, "messages": messages}
        process = await asyncio.create_subprocess_exec(
            "node", str(HERE / "send.mjs"), str(folder), stdin=-1, stdout=-1, stderr=-1
        )
        out, trouble = await process.communicate(json.dumps(told).encode())
        assert process.returncode == 0, trouble.decode()
        errors: list[str] = json.loads(out.splitlines()[-1])["errors"]
        return errors

    return send


_SNAKE = {
    "userId": "user_id",
    "anonymousId": "anonymous_id",
    "groupId": "group_id",
    "previousId": "previous_id",
    "messageId": "message_id",
}


async def python(address: str, key: str, messages: list[dict[str, Any]], **options: Any) -> list[str]:
    """Segment's library for Python, in threads of its own."""
    errors: list[str] = []

    def send() -> None:
        client = segment.analytics.Client(
            key, host=address, on_error=lambda error, _: errors.append(str(error)), upload_interval=0.1, **options
        )
        for told in messages:
            message = {_SNAKE.get(name, name): value for name, value in told.items()}
            if "timestamp" in message:
                message["timestamp"] = datetime.fromisoformat(message["timestamp"])
            getattr(client, message.pop("type"))(**message)
        client.shutdown()

    await asyncio.to_thread(send)
    return errors


@dataclass
class Seen:
    """A request as it went over the wire."""

    path: str
    headers: dict[str, str]
    body: bytes

    def told(self) -> dict[str, Any]:
        """Its JSON, unpacked."""
        packed = self.headers.get("content-encoding") == "gzip"
        found: dict[str, Any] = json.loads(gzip.decompress(self.body) if packed else self.body)
        return found


@dataclass
class Wire:
    """Between a library and the server: sees every request, and loses as many answers as it is told to."""

    to: str
    lose: int = 0
    seen: list[Seen] = field(default_factory=list)
    address: str = ""

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request to the server, which settles it, and the answer back, or the connection cut."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers["content-length"]))
        request = Seen(first.split(" ")[1], headers, body)
        self.seen.append(request)
        passed = {name: value for name, value in headers.items() if name not in ("host", "connection")}
        async with httpx.AsyncClient() as client:
            answer = await client.post(self.to + request.path, content=body, headers=passed)
        if self.lose:
            self.lose -= 1
            writer.transport.abort()
            return
        writer.write(f"HTTP/1.1 {answer.status_code} {answer.reason_phrase}\r\n".encode())
        writer.write(b"Content-Type: application/json\r\nConnection: close\r\n")
        writer.write(f"Content-Length: {len(answer.content)}\r\n\r\n".encode() + answer.content)
        await writer.drain()
        writer.close()


@asynccontextmanager
async def wire(to: str, *, lose: int = 0) -> AsyncIterator[Wire]:
    """A wire to the server at the address ``to``."""
    opened = Wire(to, lose)
    server = await asyncio.start_server(opened.carry, "127.0.0.1", 0, limit=1024 * 1024)
    opened.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield opened
