"""Clients without a key who mean no good, or whose network does not: hostile.py PORT COUNT.

One process holds them all, and goes on while the one that began it lives; whoever is sent away
comes back. They take it in turns to be one of the kinds below.
"""

import os
import resource
import selectors
import socket
import sys
import time

MEGABYTE = b" " * (1 << 20)
PAUSE = 0.1  # between connections, and between the bytes that dribble, in seconds


def head(path, *headers):
    lines = [f"POST /v1/credits/{path} HTTP/1.1", "Host: a", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


QUESTIONS = head("actions/quote") * 1_000
HELD_BACK = head("actions/batch", "Authorization: Bearer sk_made-up", "Content-Length: 8388608")
CHANGE = head("actions/quote", "Connection: Upgrade", "Upgrade: websocket")
HALF = head("actions/quote", "Content-Length: 100") + b"{"


def silent(number):
    """Connects and says nothing."""
    while True:
        yield None


def holds_body_back(number):
    """Sends a long body under a made-up key, but for its end."""
    yield HELD_BACK
    for _ in range(7):
        yield MEGABYTE
    while True:
        yield None
        yield b" "


def dribbles_head(number):
    """Sends one byte of a head after the other."""
    yield b"POST /v1/credits/actions/quote HTTP/1.1\r\nHost: a\r\nb: "
    while True:
        yield None
        yield b"c"


def reads_nothing(number):
    """Asks and asks, and reads no answer."""
    while True:
        yield QUESTIONS


def changes_protocol(number):
    """Offers another protocol, and goes on as if that had been taken."""
    yield CHANGE
    while True:
        yield MEGABYTE


def leaves(number):
    """Ends in the middle of what it begins."""
    yield HALF
    yield None


def guesses_keys(number):
    """Tries one key after the other."""
    guess = 0
    while True:
        guess += 1
        yield head("actions/quote", f"Authorization: Bearer sk_{number}_{guess}")
        yield None


KINDS = [
    silent, holds_body_back, dribbles_head, reads_nothing, changes_protocol, leaves, guesses_keys,
]


class Client:
    def __init__(self, selector, port, number):
        self.selector, self.port, self.number = selector, port, number
        self.kind = KINDS[number % len(KINDS)]
        self.socket = None
        self.resume_at = time.monotonic() + number * 0.0005

    def connect(self):
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.connect_ex(("127.0.0.1", self.port))
        self.script, self.rest = self.kind(self.number), memoryview(b"")
        self.wait(writing=True)

    def wait(self, writing):
        reading = 0 if self.kind is reads_nothing else selectors.EVENT_READ
        events = reading | (selectors.EVENT_WRITE if writing else 0)
        if self.socket in self.selector.get_map():
            if events:
                self.selector.modify(self.socket, events, self)
            else:
                self.selector.unregister(self.socket)
        elif events:
            self.selector.register(self.socket, events, self)

    def act(self, events):
        try:
            if events & selectors.EVENT_READ and not self.socket.recv(1 << 16):
                return self.leave()
            if events & selectors.EVENT_WRITE:
                self.send()
        except BlockingIOError:
            pass
        except OSError:
            self.leave()

    def send(self):
        if not self.rest:
            part = next(self.script, b"")
            if part == b"":
                return self.leave()
            if part is None:
                return self.pause()
            self.rest = memoryview(part)
        self.rest = self.rest[self.socket.send(self.rest):]

    def pause(self):
        self.wait(writing=False)
        self.resume_at = time.monotonic() + PAUSE

    def leave(self):
        if self.socket in self.selector.get_map():
            self.selector.unregister(self.socket)
        self.socket.close()
        self.socket = None
        self.resume_at = time.monotonic() + PAUSE

    def resume(self):
        self.resume_at = None
        if self.socket is None:
            self.connect()
        else:
            self.wait(writing=True)


def main():
    port, count = int(sys.argv[1]), int(sys.argv[2])
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    selector = selectors.DefaultSelector()
    clients = [Client(selector, port, number) for number in range(count)]
    parent = os.getppid()
    while os.getppid() == parent:
        for key, events in selector.select(0.02):
            key.data.act(events)
        now = time.monotonic()
        for client in clients:
            if client.resume_at is not None and client.resume_at <= now:
                client.resume()


main()
