# SPDX-License-Identifier: Apache-2.0
"""A small HTTP proxy on loopback: CONNECT, and plain requests with absolute addresses.

    with Proxy(password="me:secret") as proxy:
        proxy.url        "http://127.0.0.1:PORT"
        proxy.seen       ["CONNECT registry.localhost:5001", "GET http://…"]
"""

import base64
import contextlib
import select
import socket
import threading
import urllib.parse

MAX_HEAD = 65536


class Proxy:
    def __init__(self, password=None):
        self.password = password
        self.seen = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.url = f"http://{self.address}"

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head and len(head) < MAX_HEAD:
                data = client.recv(4096)
                if not data:
                    return
                head += data
            head, rest = head.split(b"\r\n\r\n", 1)
            self._answer(client, head.decode().split("\r\n"), rest)

    def _answer(self, client, lines, rest):
        method, target, version = lines[0].split(" ", 2)
        self.seen.append(f"{method} {target}")
        wanted = self.password and \
            "Proxy-Authorization: Basic " + base64.b64encode(self.password.encode()).decode()
        if wanted and wanted not in lines:
            client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n"
                           b"Proxy-Authenticate: Basic realm=\"proxy\"\r\n"
                           b"Content-Length: 0\r\nConnection: close\r\n\r\n")
            return
        address = target if method == "CONNECT" else urllib.parse.urlsplit(target).netloc
        port = int(address.rsplit(":", 1)[1])
        # Names are the proxy's to resolve; all that it knows are on loopback.
        with socket.create_connection(("127.0.0.1", port)) as server:
            if method == "CONNECT":
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                parts = urllib.parse.urlsplit(target)
                path = parts.path + ("?" + parts.query if parts.query else "")
                kept = [line for line in lines[1:]
                        if not line.lower().startswith(("proxy-", "connection:"))]
                first = f"{method} {path} {version}"
                server.sendall("\r\n".join([first, *kept, "Connection: close", "", ""]).encode())
            server.sendall(rest)
            self._relay(client, server)

    @staticmethod
    def _relay(client, server):
        while True:
            for ready in select.select([client, server], [], [])[0]:
                data = ready.recv(65536)
                if not data:
                    return
                (server if ready is client else client).sendall(data)
