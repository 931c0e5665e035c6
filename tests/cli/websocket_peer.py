"""A client or a server of WebSocket, by Debian's python3-websockets: a message is a line, both ways.

    websocket_peer.py client URL        lines of standard input are sent, what comes is printed
    websocket_peer.py server            prints the port, then a line for each client: {"path":...}

A line {"parts":[...]} is one message in so many frames, {"ping":...} a ping, {"close":[code, reason]} a goodbye.
The end, of either side, is {"closed":[code, reason]}. With "anonymous" behind them, over TLS as Broker does it.
"""

import asyncio
import json
import ssl
import sys

import websockets


def context(side):
    made = ssl.SSLContext(side)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    made.maximum_version = ssl.TLSVersion.TLSv1_2
    made.set_ciphers("AECDH-AES256-SHA:@SECLEVEL=0")
    made.set_ecdh_curve("secp384r1")
    return made


def say(text):
    print(text, flush=True)


async def read_lines(queue):
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        await queue.put(line.rstrip("\n"))


async def send(socket, queue):
    while True:
        line = await queue.get()
        command = json.loads(line) if line.startswith(('{"parts"', '{"ping"', '{"close"')) else {}
        if "parts" in command:
            await socket.send(command["parts"])
        elif "ping" in command:
            await (await socket.ping(command["ping"]))
            say(json.dumps({"pong": command["ping"]}))
        elif "close" in command:
            await socket.close(*command["close"])
            return
        else:
            await socket.send(line)


async def converse(socket, queue):
    sender = asyncio.create_task(send(socket, queue))
    try:
        async for message in socket:
            say(message if isinstance(message, str) else json.dumps({"binary": message.hex()}))
    except websockets.ConnectionClosedError:
        pass
    sender.cancel()
    say(json.dumps({"closed": [socket.close_code, socket.close_reason]}))


async def client(url, tls):
    queue = asyncio.Queue()
    reader = asyncio.create_task(read_lines(queue))
    async with websockets.connect(url, ssl=tls, max_size=None, ping_interval=None) as socket:
        await converse(socket, queue)
    reader.cancel()


async def server(tls):
    queue = asyncio.Queue()

    async def serve(socket, path):
        say(json.dumps({"path": path}))
        await converse(socket, queue)

    async with websockets.serve(serve, "127.0.0.1", 0, ssl=tls, max_size=None, ping_interval=None) as listening:
        say(str(listening.sockets[0].getsockname()[1]))
        await read_lines(queue)


def main():
    words = sys.argv[1:]
    anonymous = words[-1] == "anonymous"
    if words[0] == "client":
        work = client(words[1], context(ssl.PROTOCOL_TLS_CLIENT) if anonymous else None)
    else:
        work = server(context(ssl.PROTOCOL_TLS_SERVER) if anonymous else None)
    asyncio.run(work)


if __name__ == "__main__":
    main()
