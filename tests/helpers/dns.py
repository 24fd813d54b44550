# SPDX-License-Identifier: Apache-2.0
"""A name server that answers from a table, and the bytes of DNS messages, for tests of resolvers."""

import socket
import struct
import sys

TYPES = {"A": 1, "PTR": 12, "TXT": 16, "AAAA": 28, "MX": 15}


def encode_name(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label) + b"\0"


def question(name, kind, identity=0x1234, edns=None):
    extra = b"" if edns is None else b"\0" + struct.pack(">HHIH", 41, edns, 0, 0)
    return (struct.pack(">HHHHHH", identity, 0x0100, 1, 0, 0, 1 if extra else 0)
            + encode_name(name) + struct.pack(">HH", TYPES[kind], 1) + extra)


def skip_name(message, at):
    while message[at]:
        if message[at] & 0xc0:
            return at + 2
        at += 1 + message[at]
    return at + 1


def read_name(message, at):
    labels = []
    while message[at]:
        if message[at] & 0xc0:
            at = struct.unpack_from(">H", message, at)[0] & 0x3fff
            continue
        labels.append(message[at + 1:at + 1 + message[at]].decode())
        at += 1 + message[at]
    return ".".join(labels)


def answers(message):
    """(code, truncated, values): addresses and names as texts, other data as its length."""
    _, flags, questions, count, _, _ = struct.unpack_from(">HHHHHH", message)
    at = 12
    for _ in range(questions):
        at = skip_name(message, at) + 4
    values = []
    for _ in range(count):
        at = skip_name(message, at)
        kind, _, _, length = struct.unpack_from(">HHIH", message, at)
        at += 10
        data = message[at:at + length]
        if kind == TYPES["A"]:
            values.append(socket.inet_ntop(socket.AF_INET, data))
        elif kind == TYPES["AAAA"]:
            values.append(socket.inet_ntop(socket.AF_INET6, data))
        elif kind == TYPES["PTR"]:
            values.append(read_name(message, at))
        else:
            values.append(length)
        at += length
    return flags & 0xf, bool(flags & 0x0200), values


def ask(name, kind, server="127.0.0.11", tcp=False, edns=None):
    """Asks from the network namespace that we are in."""
    message = question(name, kind, edns=edns)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM) as sock:
        sock.settimeout(10)
        sock.connect((server, 53))
        if not tcp:
            sock.send(message)
            return answers(sock.recv(65535))
        sock.sendall(struct.pack(">H", len(message)) + message)
        stream = sock.makefile("rb")
        length = struct.unpack(">H", stream.read(2))[0]
        return answers(stream.read(length))


def reply(message):
    """To A of anything under "example": 198.51.100.7; of "long": forty addresses; else no such name."""
    name = read_name(message, 12)
    end = skip_name(message, 12) + 4
    kind = struct.unpack_from(">H", message, end - 4)[0]
    count = 40 if name.startswith("long.") else 1
    known = name.endswith("example") and kind == TYPES["A"]
    record = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4)
    data = b"".join(record + bytes([198, 51, 100, 7 + i]) for i in range(count)) if known else b""
    return (message[:2] + struct.pack(">HHHHH", 0x8180 if known else 0x8183, 1,
                                      count if known else 0, 0, 0) + message[12:end] + data)


def serve(address):
    """For ever, udp and tcp; prints each name that it was asked for."""
    import selectors
    selector = selectors.DefaultSelector()
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    for sock in (udp, tcp):
        sock.bind((address, 53))
        selector.register(sock, selectors.EVENT_READ)
    tcp.listen()
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            if key.fileobj is udp:
                message, peer = udp.recvfrom(4096)
                print(read_name(message, 12), flush=True)
                udp.sendto(reply(message), peer)
            else:
                connection, _ = tcp.accept()
                with connection, connection.makefile("rwb") as stream:
                    message = stream.read(struct.unpack(">H", stream.read(2))[0])
                    print("tcp", read_name(message, 12), flush=True)
                    data = reply(message)
                    stream.write(struct.pack(">H", len(data)) + data)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    else:
        print(*ask(sys.argv[2], sys.argv[3], tcp="tcp" in sys.argv[4:],
                   edns=4096 if "edns" in sys.argv[4:] else None))
