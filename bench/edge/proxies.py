"""The proxies, each with one worker, one origin and an access log, set up to do the same."""

import os
from dataclasses import dataclass
from pathlib import Path

# More than any run opens, and few enough for the files that a process may open by default.
CONNECTIONS = 15_000
# What an idle connection is left open for, in seconds.
IDLE = 3600


@dataclass(frozen=True)
class Setup:
    """What a proxy does: `routes` of them by prefix, with changes of headers, and TLS towards clients."""

    origin: int
    port: int
    routes: int = 1
    changes: bool = False
    tls: bool = False


def prefixes(setup):
    return ["/"] if setup.routes == 1 else [f"/service-{number}/" for number in range(setup.routes)]


class Coreto:
    key, name = "coreto", "Coreto"

    def __init__(self, program):
        self.program = program

    def command(self, setup, folder):
        tls = f'[[listener.tls.certificate]]\ncert = "{folder}/cert.pem"\nkey = "{folder}/key.pem"\n' if setup.tls else ""
        changes = """
[route.request-headers]
set = { x-gateway = "bench", x-region = "here" }
remove = ["x-debug"]
[route.response-headers]
set = { x-frame-options = "DENY" }
remove = ["server"]
"""
        def route(at, prefix):
            return f'[[route]]\nname = "r{at}"\nprefix = "{prefix}"\nto = "origin"\n' + (changes if setup.changes else "")

        text = f"""
[admin]
address = "127.0.0.1:{setup.port + 1}"
[[listener]]
name = "public"
address = "127.0.0.1:{setup.port}"
{tls}
[listener.bounds]
connections = {CONNECTIONS}
connections-per-address = {CONNECTIONS}
[listener.clocks]
idle = "{IDLE}s"
[[cluster]]
name = "origin"
endpoints = ["127.0.0.1:{setup.origin}"]
"""
        text += "".join(route(at, prefix) for at, prefix in enumerate(prefixes(setup)))
        path = write(folder / "edge.toml", text)
        return [self.program, "edge", "--config", path, "--workers", "1", "--access-log", folder / "coreto-access.log"]


class Nginx:
    key, name = "nginx", "nginx"

    def __init__(self, program):
        self.program = program

    def command(self, setup, folder):
        tls = f"ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;" if setup.tls else ""
        changes = """proxy_set_header X-Gateway bench; proxy_set_header X-Region here; proxy_set_header X-Debug "";
            add_header X-Frame-Options DENY; proxy_hide_header Server;"""
        body = f"""proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Request-Id $request_id;
            {changes if setup.changes else ""}"""
        locations = "\n".join(f"location {prefix} {{ {body} }}" for prefix in prefixes(setup))
        text = nginx_text(
            folder / "nginx",
            f"""access_log {folder}/nginx-access.log combined buffer=64k flush=1s;
    upstream origin {{ server 127.0.0.1:{setup.origin}; keepalive 1024; keepalive_requests 100000000; }}
    server {{ listen 127.0.0.1:{setup.port} {"ssl" if setup.tls else ""} backlog=4096; {tls}
        location = /metrics-of-the-server {{ stub_status; }}
        {locations}
    }}""",
        )
        return [self.program, "-c", write(folder / "nginx.conf", text)]


class Haproxy:
    key, name = "haproxy", "HAProxy"

    def __init__(self, program):
        self.program = program

    def command(self, setup, folder):
        tls = f"ssl crt {folder}/both.pem" if setup.tls else ""
        changes = """
    http-request set-header x-gateway bench
    http-request set-header x-region here
    http-request del-header x-debug
    http-response set-header x-frame-options DENY
    http-response del-header server"""
        write(folder / "routes.map", "".join(f"{prefix} origin\n" for prefix in prefixes(setup)))
        text = f"""
global
    nbthread 1
    maxconn 1000
    log 127.0.0.1:{setup.port + 1} format raw local0
defaults
    mode http
    log global
    option httplog
    option forwardfor
    timeout connect 5s
    timeout client {IDLE}s
    timeout server {IDLE}s
frontend public
    bind 127.0.0.1:{setup.port} {tls}
    {changes if setup.changes else ""}
    use_backend %[path,map_beg({folder}/routes.map)]
backend origin
    http-reuse always
    server one 127.0.0.1:{setup.origin}
"""
        return [self.program, "-db", "-f", write(folder / "haproxy.cfg", text)]


class Envoy:
    key, name = "envoy", "Envoy"

    def __init__(self, program):
        self.program = program

    def command(self, setup, folder):
        manager = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
        changes = """request_headers_to_add: [{header: {key: x-gateway, value: bench}}, {header: {key: x-region, value: here}}]
              request_headers_to_remove: [x-debug]
              response_headers_to_add: [{header: {key: x-frame-options, value: DENY}}]
              response_headers_to_remove: [server]"""
        tls = f"""
      transport_socket:
        name: tls
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
          common_tls_context:
            tls_certificates: [{{certificate_chain: {{filename: {folder}/cert.pem}}, private_key: {{filename: {folder}/key.pem}}}}]"""
        routes = "".join(
            f"\n              - {{match: {{prefix: {prefix}}}, route: {{cluster: origin, timeout: 30s}}}}"
            for prefix in prefixes(setup)
        )
        text = f"""
admin: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {setup.port + 1}}}}}}}
static_resources:
  listeners:
  - address: {{socket_address: {{address: 127.0.0.1, port_value: {setup.port}}}}}
    filter_chains:
    - filters:
      - name: http
        typed_config:
          "@type": type.googleapis.com/{manager}
          stat_prefix: public
          use_remote_address: true
          access_log:
          - name: file
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog
              path: {folder}/envoy-access.log
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              {changes if setup.changes else ""}
              routes:{routes}{tls if setup.tls else ""}
  clusters:
  - name: origin
    connect_timeout: 3s
    type: STATIC
    circuit_breakers: {{thresholds: [{{max_connections: 10000, max_pending_requests: 10000, max_requests: 10000}}]}}
    load_assignment:
      cluster_name: origin
      endpoints: [{{lb_endpoints: [{{endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {setup.origin}}}}}}}}}]}}]
"""
        options = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "error"]
        return [self.program, "-c", write(folder / "envoy.yaml", text), *options]


def origin(program, port, folder):
    """The command of the server behind them: nginx with a small answer from memory."""
    answer = '{"id":"7f3e","state":"open","items":[{"sku":"a1","n":2},{"sku":"b2","n":1}],"total":1234,"currency":"EUR","note":"as usual"}'
    server = f"server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ default_type application/json; return 200 '{answer}'; }} }}"
    return [program, "-c", write(folder / "origin.conf", nginx_text(folder / "origin", f"access_log off; {server}"))]


def nginx_text(stem, http):
    user = "user root;" if os.geteuid() == 0 else ""
    return f"""
worker_processes 1; daemon off; pid {stem}.pid; error_log {stem}-error.log; worker_rlimit_nofile {CONNECTIONS + 2000};
{user}
events {{ worker_connections {CONNECTIONS}; }}
http {{
    keepalive_requests 100000000; keepalive_timeout {IDLE}s;
    {http}
}}
"""


def write(path: Path, text):
    path.write_text(text)
    return path
