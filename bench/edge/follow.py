"""How soon a gateway sends requests where a catalog says: beside it in one process, and apart from it."""

import http.client
import json
import time

from processes import Failed
from proxies import nginx_text, write

CATALOG = 19750
SERVICES = {"stays": 19751, "comes": 19752}
# So long no answer may come of an instance that is gone, in seconds.
QUIET = 0.1
# A change that is not seen by then is never seen.
PATIENCE = 5


def services(program, folder):
    """The command of two instances that answer their ports."""
    servers = "".join(f"server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ return 200 {port}; }} }}" for port in SERVICES.values())
    return [program, "-c", write(folder / "services.conf", nginx_text(folder / "services", f"access_log off; {servers}"))]


def gateway(port, folder):
    """Its file."""
    text = f"""
admin = {{ address = "127.0.0.1:{port + 1}" }}
catalog = {{ address = "127.0.0.1:{CATALOG}" }}
[[listener]]
name = "public"
address = "127.0.0.1:{port}"
[[cluster]]
name = "orders"
service = "orders"
balance = "round-robin"
[[route]]
name = "all"
to = "orders"
"""
    return write(folder / "follow.toml", text)


def catalog(program, beside):
    command = [program, "dev", "--grpc", "127.0.0.1:0", "--management", "127.0.0.1:0", "--catalog", f"127.0.0.1:{CATALOG}", "--dns", "off"]
    return command + (["--edge", beside] if beside else [])


class Follower:
    """Changes a service, and looks at the gateway's answers."""

    def __init__(self, port):
        self.catalog = http.client.HTTPConnection("127.0.0.1", CATALOG, timeout=10)
        self.gateway = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        self.register("stays")
        self.until(lambda found: found == SERVICES["stays"], "the first instance")

    def put(self, path, body=None):
        self.catalog.request("PUT", f"/v1/agent/{path}", body and json.dumps(body))
        answer = self.catalog.getresponse()
        told = answer.read()
        if answer.status != 200:
            raise Failed(f"the catalog answered {answer.status} to {path}: {told[:200]}")
        return time.monotonic()

    def register(self, name):
        check = {"CheckID": name, "TTL": "1h", "Status": "passing"}
        return self.put("service/register", {"Name": "orders", "ID": name, "Address": "127.0.0.1", "Port": SERVICES[name], "Check": check})

    def ask(self):
        """The port that answers; none when there is nobody."""
        self.gateway.request("GET", "/")
        answer = self.gateway.getresponse()
        body = answer.read()
        return int(body) if answer.status == 200 else None

    def until(self, holds, what):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if holds(self.ask()):
                return time.monotonic()
        raise Failed(f"the gateway did not follow within {PATIENCE} s: {what}")

    def first(self, told):
        """Milliseconds from a change to the first answer of the instance that it lets in."""
        return (self.until(lambda found: found == SERVICES["comes"], "an instance that came") - told) * 1e3

    def last(self, told):
        """Milliseconds from a change to the last answer of the instance that it takes out; 0 when there was none."""
        last = told
        while time.monotonic() < last + QUIET:
            if self.ask() == SERVICES["comes"]:
                last = time.monotonic()
            if last > told + PATIENCE:
                raise Failed(f"the gateway did not follow within {PATIENCE} s: an instance that is gone")
        return (last - told) * 1e3

    def turns(self, count):
        """The times of each kind of change."""
        seen = {"registration": [], "critical": [], "passing again": [], "deregistration": []}
        for _ in range(count):
            seen["registration"].append(self.first(self.register("comes")))
            seen["critical"].append(self.last(self.put("check/fail/comes")))
            seen["passing again"].append(self.first(self.put("check/pass/comes")))
            seen["deregistration"].append(self.last(self.put("service/deregister/comes")))
        return seen

    def close(self):
        self.catalog.close()
        self.gateway.close()
