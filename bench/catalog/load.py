"""The load: requests over connections that stay open, and watchers that wait for changes."""

import selectors
import socket
import time

from processes import Failed

LENGTH, INDEX = b"content-length: ", b"x-consul-index: "


class Link:
    """A connection over which one request at a time is answered."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.came = b""

    def close(self):
        self.socket.close()

    def send(self, request):
        self.sent = time.monotonic()
        self.socket.sendall(request)

    def receive(self):
        """Reads what is there; the head and body of the answer, once it is whole."""
        part = self.socket.recv(1 << 14)
        if not part:
            raise Failed("the catalog closed a connection")
        self.came += part
        end = self.came.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = self.came[:end + 2]
        length = int(field(head, LENGTH) or 0)
        if len(self.came) < end + 4 + length:
            return None
        body, self.came = self.came[end + 4:], b""
        if not head.startswith(b"HTTP/1.1 200"):
            line, text = head.splitlines()[0].decode(), body[:200].decode(errors="replace")
            raise Failed(f"the catalog answered {line}: {text}")
        return head, body


def field(head, name):
    at = head.lower().find(name)
    return head[at + len(name):head.index(b"\r\n", at)] if at >= 0 else None


def request(method, path, body=b""):
    return f"{method} /v1/{path} HTTP/1.1\r\nhost: catalog\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


def exchange(port, requests, connections):
    """Has the requests answered over so many connections at a time; seconds that each took."""
    took, todo = [], iter(requests)
    with selectors.DefaultSelector() as selector:
        links = [Link(port) for _ in range(connections)]
        busy = 0
        for link in links:
            selector.register(link.socket, selectors.EVENT_READ, link)
            if wanted := next(todo, None):
                link.send(wanted)
                busy += 1
        while busy:
            ready = selector.select(10)
            if not ready:
                raise Failed("the catalog did not answer for 10 s")
            for key, _ in ready:
                if key.data.receive() is None:
                    continue
                took.append(time.monotonic() - key.data.sent)
                if wanted := next(todo, None):
                    key.data.send(wanted)
                else:
                    busy -= 1
        for link in links:
            link.close()
    return sorted(took)


class Watchers:
    """Each waits for the next change of a service, again and again."""

    def __init__(self, port, names):
        self.selector = selectors.DefaultSelector()
        self.links = []
        for name in names:
            link = Link(port)
            link.name = name
            self.selector.register(link.socket, selectors.EVENT_READ, link)
            self.links.append(link)
            link.send(request("GET", f"health/service/{name}?passing"))
        self.waiting = 0
        self.hear(len(names))

    def hear(self, count):
        """Waits until so many have heard, and lets them wait on; when each did."""
        came = []
        while len(came) < count:
            ready = self.selector.select(10)
            if not ready:
                raise Failed(f"{count - len(came)} of {count} watchers did not hear of a change for 10 s")
            for key, _ in ready:
                link = key.data
                if (answer := link.receive()) is None:
                    continue
                came.append(time.monotonic())
                index = field(answer[0], INDEX).decode()
                link.send(request("GET", f"health/service/{link.name}?passing&index={index}&wait=5m"))
        return came

    def close(self):
        self.selector.close()
        for link in self.links:
            link.close()
