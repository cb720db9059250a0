"""Tools that people know, against a gateway: curl, wrk, h2load, hey, openssl, npm's ws, and gRPC's own Python library.

A claim is a function; what it needs and does not find here is told in a line, and the claim is left out.
CORETO_PROGRAM names the program, NODE_PATH the folder with `ws` where there is one.
"""

import hashlib
import http.server
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from concurrent import futures

import grpc

FILE = bytes(range(256)) * 4096
TEXT = b"a line of a page that is worth compressing\n" * 500
SECONDS = 30
WS = ["node", str(pathlib.Path(__file__).with_name("ws.js"))]
HAS_WS = shutil.which("node") is not None and "NODE_PATH" in os.environ


class Upstream(http.server.BaseHTTPRequestHandler):
    """Answers with a file, a part of it, a text, or what was uploaded."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path.endswith("/file"):
            start = self.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")[0]
            part = FILE[int(start):]
            fields = {"Content-Type": "application/octet-stream"}
            if "Range" in self.headers:
                fields["Content-Range"] = f"bytes {start}-{len(FILE) - 1}/{len(FILE)}"
            self.answer(206 if "Range" in self.headers else 200, part, fields)
        else:
            self.answer(200, TEXT, {"Content-Type": "text/plain"})

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(200, hashlib.sha256(body).hexdigest().encode(), {})

    def answer(self, status, body, fields):
        self.send_response(status)
        for name, value in {**fields, "Content-Length": len(body)}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    """Takes many connections at once, and does not mind how they end."""

    request_queue_size = 128

    def handle_error(self, *_):
        pass


class Calls(grpc.GenericRpcHandler):
    """Calls of gRPC whose messages are bytes."""

    def service(self, details):
        return {
            "/t.T/Echo": grpc.unary_unary_rpc_method_handler(lambda message, _: message),
            "/t.T/Each": grpc.stream_stream_rpc_method_handler(lambda messages, _: messages),
            "/t.T/Fail": grpc.unary_unary_rpc_method_handler(self.fail),
            "/t.T/Late": grpc.unary_unary_rpc_method_handler(self.late),
        }.get(details.method)

    @staticmethod
    def fail(_, context):
        context.set_trailing_metadata((("x-why", "because"),))
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not now: ü")

    @staticmethod
    def late(message, context):
        # The gateway has told how much time is left, and ends the call when it is over.
        ended = threading.Event()
        context.add_callback(ended.set)
        ended.wait(SECONDS)
        return message


class Stage:
    """Upstreams, certificates and a gateway in a folder of their own."""

    def __init__(self, folder):
        self.folder = folder
        self.http = Server(("127.0.0.1", 0), Upstream)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.grpc = grpc.server(futures.ThreadPoolExecutor(8), handlers=[Calls()])
        self.grpc_port = self.grpc.add_insecure_port("127.0.0.1:0")
        self.grpc.start()
        self.sockets = subprocess.Popen([*WS, "serve"], stdout=subprocess.PIPE, text=True) if HAS_WS else None
        self.sockets_port = int(self.sockets.stdout.readline()) if HAS_WS else self.http.server_port
        for name, issuer in [("ca", None), ("localhost", "ca"), ("other.example", "ca"), ("client", "ca")]:
            self.certify(name, issuer)
        (folder / "edge.toml").write_text(self.config())
        program = [os.environ["CORETO_PROGRAM"], "edge", "--json", "--access-log", "access.log"]
        self.gateway = subprocess.Popen(program, cwd=folder, stdout=subprocess.PIPE, text=True)
        listeners = json.loads(self.gateway.stdout.readline())["listeners"]
        self.port = {name: address.rsplit(":", 1)[1] for name, address in listeners.items()}

    def certify(self, name, issuer):
        def openssl(*arguments):
            command = ["openssl", *arguments]
            subprocess.run(command, cwd=self.folder, check=True, capture_output=True, timeout=SECONDS)

        new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}"]
        files = ["-keyout", f"{name}.key"]
        if issuer is None:
            openssl("req", "-x509", *new, *files, "-out", f"{name}.pem", "-days", "2")
            return
        (self.folder / f"{name}.ext").write_text(f"subjectAltName=DNS:{name}\n")
        openssl("req", *new, *files, "-out", f"{name}.csr")
        openssl(
            *["x509", "-req", "-in", f"{name}.csr", "-CA", f"{issuer}.pem", "-CAkey", f"{issuer}.key"],
            *["-CAcreateserial", "-extfile", f"{name}.ext", "-out", f"{name}.pem", "-days", "2"],
        )

    def config(self):
        shown = [f'{{ cert = "{name}.pem", key = "{name}.key" }}' for name in ["localhost", "other.example"]]
        return f"""
[admin]
address = "127.0.0.1:0"
[[listener]]
name = "plain"
address = "127.0.0.1:0"
[[listener]]
name = "secure"
address = "127.0.0.1:0"
tls = {{ certificate = [{", ".join(shown)}] }}
[[listener]]
name = "known"
address = "127.0.0.1:0"
tls = {{ certificate = [{shown[0]}], client-ca = "ca.pem", client-certificate = "required" }}
[[cluster]]
name = "http"
endpoints = ["127.0.0.1:{self.http.server_port}"]
[[cluster]]
name = "grpc"
protocol = "http2"
endpoints = ["127.0.0.1:{self.grpc_port}"]
[[cluster]]
name = "sockets"
endpoints = ["127.0.0.1:{self.sockets_port}"]
[[route]]
name = "sockets"
prefix = "/ws"
to = "sockets"
upgrades = ["websocket"]
[[route]]
name = "http"
to = "http"
compression = true
[[route]]
name = "quick"
path = "/quick"
respond = {{ body = "quick" }}
[[route]]
name = "grpc"
prefix = "/t.T"
to = "grpc"
"""

    def end(self):
        self.gateway.send_signal(signal.SIGTERM)
        code = self.gateway.wait(SECONDS)
        self.http.shutdown()
        self.grpc.stop(None)
        if self.sockets is not None:
            self.sockets.kill()
            self.sockets.wait(SECONDS)
        assert code == 0, f"the gateway ended with {code}"

    def run(self, *command, code=0, text=True, stdin=""):
        # What a tool prints may have bytes of HTTP/2 in it.
        how = {"text": True, "errors": "replace", "input": stdin} if text else {}
        done = subprocess.run(command, cwd=self.folder, capture_output=True, timeout=SECONDS, **how)
        if code is not None:
            assert done.returncode == code, f"{command} ended with {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr if text else done.stdout

    def curl(self, *arguments):
        return self.run("curl", "-sS", "--max-time", "20", *arguments, text=False)

    def url(self, path, listener="plain"):
        scheme = "http" if listener == "plain" else "https"
        return f"{scheme}://localhost:{self.port[listener]}{path}"

    def s_client(self, *arguments, listener="secure", stdin="", code=0):
        address = f"127.0.0.1:{self.port[listener]}"
        known = ["-connect", address, "-CAfile", "ca.pem", "-servername", "localhost"]
        return self.run("openssl", "s_client", *known, *arguments, stdin=stdin, code=code)


def curl_speaks_every_version(stage):
    version = ["-o", "out", "-w", "%{http_version} %{http_code}", "--cacert", "ca.pem"]
    for listener, flag, expected in [
        ("plain", "--http1.1", b"1.1 200"),
        ("plain", "--http1.0", b"1.1 200"),
        ("plain", "--http2-prior-knowledge", b"2 200"),
        ("secure", "--http1.1", b"1.1 200"),
        ("secure", "--http2", b"2 200"),
    ]:
        found = stage.curl(flag, *version, stage.url("/file", listener))
        assert found == expected, (listener, flag, found)
        assert (stage.folder / "out").read_bytes() == FILE, (listener, flag)


def curl_uploads_when_it_is_told_to_go_on(stage):
    (stage.folder / "in").write_bytes(FILE)
    expected = hashlib.sha256(FILE).hexdigest().encode()
    for flag in ["--http1.1", "--http2-prior-knowledge"]:
        found = stage.curl(flag, "-T", "in", "-H", "Expect: 100-continue", stage.url("/upload"))
        assert found == expected, (flag, found)


def curl_gets_less_and_shows_the_same(stage):
    for coding in ["gzip", "br", "zstd"]:
        asked = ["-H", f"Accept-Encoding: {coding}", "-D", "head", stage.url("/text")]
        sent = stage.curl(*asked)
        assert len(sent) < len(TEXT) / 4, (coding, len(sent))
        assert f"content-encoding: {coding}" in (stage.folder / "head").read_text(), coding
    assert stage.curl("--compressed", stage.url("/text")) == TEXT


def curl_resumes(stage):
    (stage.folder / "part").write_bytes(FILE[:1000])
    stage.curl("-C", "-", "-o", "part", stage.url("/file"))
    assert (stage.folder / "part").read_bytes() == FILE


def wrk_sees_no_error(stage):
    told = stage.run("wrk", "-t1", "-c32", "-d1s", stage.url("/text"))
    assert "Requests/sec" in told and "Socket errors" not in told and "Non-2xx" not in told, told


def h2load_sees_no_error(stage):
    for listener in ["plain", "secure"]:
        told = stage.run("h2load", "-n", "4000", "-c", "8", "-m", "32", stage.url("/quick", listener))
        assert "4000 succeeded, 0 failed, 0 errored" in told, told


def hey_sees_no_error(stage):
    told = stage.run("hey", "-n", "2000", "-c", "20", stage.url("/text"))
    assert "[200]\t2000 responses" in told and "Error distribution" not in told, told


def openssl_is_shown_what_it_asks_for(stage):
    for name, subject in [("localhost", "localhost"), ("other.example", "other.example"), ("x.example", "localhost")]:
        told = stage.s_client("-servername", name, "-alpn", "h2,http/1.1")
        assert f"subject=CN = {subject}" in told and "ALPN protocol: h2" in told, (name, told)
    told = stage.s_client("-alpn", "ftp", code=None)
    assert "no application protocol" in told, told


def openssl_resumes_a_session(stage):
    # A ticket comes behind the handshake: a request makes the client wait for it.
    request = "GET /quick HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
    for version in ["-tls1_2", "-tls1_3"]:
        told = stage.s_client(version, "-ign_eof", "-sess_out", "session", stdin=request)
        assert "\nNew, " in told and "quick" in told, told
        told = stage.s_client(version, "-ign_eof", "-sess_in", "session", stdin=request)
        assert "\nReused, " in told and "quick" in told, told


def openssl_shows_who_it_is(stage):
    request = "GET /quick HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
    own = ["-cert", "client.pem", "-key", "client.key"]
    told = stage.s_client(*own, "-ign_eof", listener="known", stdin=request)
    assert "200 OK" in told and "quick" in told, told
    told = stage.s_client("-ign_eof", listener="known", stdin=request, code=None)
    assert "certificate required" in told and "quick" not in told, told


def ws_speaks_through_it(stage):
    stage.run(*WS, "ask", f"ws://localhost:{stage.port['plain']}/ws")
    stage.run(*WS, "ask", f"wss://localhost:{stage.port['secure']}/ws", "ca.pem")


def grpc_calls_pass(stage):
    for listener in ["plain", "secure"]:
        address = f"localhost:{stage.port[listener]}"
        if listener == "plain":
            channel = grpc.insecure_channel(address)
        else:
            roots = (stage.folder / "ca.pem").read_bytes()
            channel = grpc.secure_channel(address, grpc.ssl_channel_credentials(roots))
        with channel:
            assert channel.unary_unary("/t.T/Echo")(FILE, timeout=SECONDS) == FILE
            messages = [bytes([at]) * 1000 for at in range(100)]
            assert list(channel.stream_stream("/t.T/Each")(iter(messages), timeout=SECONDS)) == messages
            failed = refused(channel.unary_unary("/t.T/Fail"), SECONDS)
            assert (failed.code(), failed.details()) == (grpc.StatusCode.FAILED_PRECONDITION, "not now: ü")
            assert ("x-why", "because") in [tuple(pair) for pair in failed.trailing_metadata()]
            assert refused(channel.unary_unary("/t.T/Late"), 0.3).code() == grpc.StatusCode.DEADLINE_EXCEEDED
            assert refused(channel.unary_unary("/t.T/None"), SECONDS).code() == grpc.StatusCode.UNIMPLEMENTED


def refused(call, timeout):
    try:
        call(b"?", timeout=timeout)
    except grpc.RpcError as error:
        return error
    raise AssertionError("the call went well")


CLAIMS = [
    (curl_speaks_every_version, "curl"),
    (curl_uploads_when_it_is_told_to_go_on, "curl"),
    (curl_gets_less_and_shows_the_same, "curl"),
    (curl_resumes, "curl"),
    (wrk_sees_no_error, "wrk"),
    (h2load_sees_no_error, "h2load"),
    (hey_sees_no_error, "hey"),
    (openssl_is_shown_what_it_asks_for, "openssl"),
    (openssl_resumes_a_session, "openssl"),
    (openssl_shows_who_it_is, "openssl"),
    (grpc_calls_pass, None),
    (ws_speaks_through_it, "node"),
]


def main():
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(pathlib.Path(folder))
        try:
            for claim, tool in CLAIMS:
                name = claim.__name__.replace("_", " ")
                if tool is not None and shutil.which(tool) is None or tool == "node" and not HAS_WS:
                    print(f"skipped: {name}: there is no `{tool}`")
                    continue
                try:
                    claim(stage)
                    print(f"PASS edge: {name}")
                except Exception as error:
                    failed += 1
                    print(f"FAIL edge: {name}: {error!r}")
        finally:
            stage.end()
    sys.exit(1 if failed else 0)


main()
