"""The published Python SDK as an application uses it, told by its standard input what to do.

A JSON message a line, in and out. `connect`, `tools`, `call` and `cancel` come with an `id` and are answered under it;
where a person has to sign in, `open` goes out and `callback`, where the browser was sent, comes in. The end of the input
is the end. What is asserted of the answers is the tests' affair; the other drivers of this folder speak the same.
"""

import asyncio
import json
import sys
from urllib.parse import parse_qs, urlsplit

import anyio
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata


async def progressed(_progress, _total, _message):
    pass


def say(message):
    print(json.dumps(message), flush=True)


class Kept:
    """What an application keeps for one server, over its connections."""

    tokens = None
    client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client


class Driver:
    def __init__(self, url, transport, mode, redirect_uri):
        self.url, self.transport, self.mode, self.redirect_uri = url, transport, mode, redirect_uri
        self.kept = Kept()
        self.called_back = asyncio.Queue()
        self.running = {}
        self.client = None
        self.leave = None

    def auth(self):
        async def opened(address):
            say({"open": address})

        async def called_back():
            query = {name: values[0] for name, values in parse_qs(urlsplit(await self.called_back.get()).query).items()}
            return AuthorizationCodeResult(code=query["code"], state=query.get("state"), iss=query.get("iss"))

        metadata = OAuthClientMetadata(client_name="Python SDK test", redirect_uris=[self.redirect_uri])
        return OAuthClientProvider(self.url, metadata, self.kept, opened, called_back)

    async def connected(self, settled):
        """One connection, entered and left in one task, as the SDK wants it."""
        try:
            async with create_mcp_http_client(auth=self.auth()) as http:
                if self.transport == "sse":
                    transport = sse_client(self.url, auth=self.auth())
                else:
                    transport = streamable_http_client(self.url, http_client=http, terminate_on_close=False)
                async with Client(transport, mode=self.mode) as self.client:
                    settled.set_result({"revision": self.client.protocol_version})
                    await self.leave.wait()
        except BaseException as error:
            if not settled.done():
                settled.set_exception(error)

    async def connect(self):
        if self.leave:
            self.leave.set()
            await self.connection
        self.leave = asyncio.Event()
        settled = asyncio.get_running_loop().create_future()
        self.connection = asyncio.create_task(self.connected(settled))
        return await settled

    async def carry_out(self, message):
        match message["do"]:
            case "connect":
                return await self.connect()
            case "tools":
                return [tool.name for tool in (await self.client.list_tools(cache_mode="bypass")).tools]
            case "call":
                # Asking for progress makes the answer a stream. The SDK's OAuth lets no other message out, not even the one
                # that takes this call back, before the head of the answer is there.
                result = await self.client.call_tool(message["name"], message["arguments"], progress_callback=progressed)
                return result.model_dump(by_alias=True, mode="json", exclude_none=True)
            case "cancel":
                self.running[message["of"]].cancel()
                return None

    async def answer(self, message):
        with anyio.CancelScope() as scope:
            self.running[message["id"]] = scope
            try:
                say({"id": message["id"], "result": await self.carry_out(message)})
            except Exception as error:
                say({"id": message["id"], "error": f"{type(error).__name__}: {error}"})
        if scope.cancelled_caught:
            say({"id": message["id"], "error": "cancelled"})

    async def run(self):
        reader = asyncio.StreamReader(limit=2**20)
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        tasks = []
        while line := await reader.readline():
            message = json.loads(line)
            if "callback" in message:
                self.called_back.put_nowait(message["callback"])
            else:
                tasks.append(asyncio.create_task(self.answer(message)))
        if self.leave:
            self.leave.set()
            await self.connection


asyncio.run(Driver(*sys.argv[1:]).run())
