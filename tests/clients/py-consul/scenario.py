"""What py-consul can do, against the catalog in CONSUL_HTTP_ADDR."""

import os
import sys
import threading
import time

import consul

HOST, PORT = os.environ["CONSUL_HTTP_ADDR"].split(":")
CLAIMS = []


def claim(text):
    def register(function):
        CLAIMS.append((text, function))
        return function

    return register


def ids(found):
    return [entry["Service"]["ID"] for entry in found]


@claim("a service is found once its check passes, and who waits hears of it at once")
def passes(client):
    check = consul.Check.ttl("10s")
    assert client.agent.service.register("web", service_id="web-1", port=80, tags=["blue"], check=check)
    index, found = client.health.service("web", passing=True)
    assert found == [], found
    told = threading.Timer(0.3, lambda: client.agent.check.ttl_pass("service:web-1"))
    told.start()
    begun = time.monotonic()
    index, found = client.health.service("web", passing=True, index=index, wait="10s")
    assert ids(found) == ["web-1"], found
    assert time.monotonic() - begun < 5, "it waited for the change, not for its time"
    assert client.catalog.services()[1] == {"web": ["blue"]}
    assert [row["ServicePort"] for row in client.catalog.service("web")[1]] == [80]


@claim("a service that is not told of is gone from the healthy ones")
def runs_out(client):
    client.agent.service.register("brief", check=consul.Check.ttl("1s"))
    client.agent.check.ttl_pass("service:brief")
    index, found = client.health.service("brief", passing=True)
    assert ids(found) == ["brief"], found
    index, found = client.health.service("brief", passing=True, index=index, wait="10s")
    assert found == [], found


@claim("maintenance takes a service out of use and back")
def maintenance(client):
    client.agent.service.register("shop")
    assert client.agent.service.maintenance("shop", "true", "a new disk")
    assert client.health.service("shop", passing=True)[1] == []
    assert client.agent.service.maintenance("shop", "false")
    assert ids(client.health.service("shop", passing=True)[1]) == ["shop"]


@claim("what is unknown is told to be")
def unknown(client):
    assert client.agent.service.deregister("none") is False
    assert client.agent.check.ttl_pass("none") is False
    index, value = client.kv.get("none")
    assert int(index) > 0 and value is None


@claim("keys are written, compared, listed and removed")
def keys(client):
    assert client.kv.put("a/b", "1") and client.kv.put("a/c", "2")
    index, entry = client.kv.get("a/b")
    assert entry["Value"] == b"1", entry
    assert client.kv.put("a/b", "3", cas=0) is False
    assert client.kv.put("a/b", "3", cas=entry["ModifyIndex"]) is True
    assert client.kv.get("a/", keys=True)[1] == ["a/b", "a/c"]
    assert [entry["Value"] for entry in client.kv.get("a/", recurse=True)[1]] == [b"3", b"2"]
    assert client.kv.delete("a/", recurse=True)
    assert client.kv.get("a/", keys=True)[1] is None


@claim("a key is held by one session at a time")
def locks(client):
    one, two = (client.session.create(name=name, ttl=10, lock_delay=0) for name in ("one", "two"))
    assert client.kv.put("leader", "one", acquire=one) is True
    assert client.kv.put("leader", "two", acquire=two) is False
    assert client.session.renew(one)["ID"] == one
    assert client.session.destroy(one)
    assert client.kv.put("leader", "two", acquire=two) is True
    assert client.kv.get("leader")[1]["Session"] == two


@claim("stale and consistent reads are taken")
def consistency(client):
    for mode in ("default", "consistent", "stale"):
        assert client.catalog.nodes(consistency=mode)[1], mode


@claim("who answers is told")
def about(client):
    assert client.agent.self()["Config"]["Datacenter"] == "dc1"
    assert client.catalog.datacenters() == ["dc1"]
    assert client.status.leader() in client.status.peers()


def main():
    client = consul.Consul(host=HOST, port=int(PORT))
    failed = 0
    for text, function in CLAIMS:
        try:
            function(client)
            print(f"PASS py-consul: {text}", flush=True)
        except Exception as error:
            failed += 1
            print(f"FAIL py-consul: {text}: {error!r}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
