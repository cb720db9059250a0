// npm's `ws`, on both sides of a gateway: `ws.js serve` prints its port and gives back what it gets; `ws.js ask URL [CA]`
// asks it and ends with 0 when all went well.
"use strict";

const assert = require("node:assert/strict");
const fs = require("node:fs");
const { WebSocket, WebSocketServer } = require("ws");

const LARGE = Buffer.alloc(1 << 20, 7);
const PATIENCE = 20_000;

function serve() {
  const choose = (offered) => (offered.has("chat.v2") ? "chat.v2" : false);
  const options = { host: "127.0.0.1", port: 0, perMessageDeflate: true, handleProtocols: choose };
  const server = new WebSocketServer({ ...options, verifyClient: ({ req }) => !req.url.endsWith("/forbidden") });
  server.on("listening", () => console.log(server.address().port));
  server.on("connection", (socket) => {
    socket.on("message", (data, binary) => {
      if (String(data) === "leave") {
        socket.close(4001, "as you wish");
      } else {
        socket.send(data, { binary });
      }
    });
  });
}

function open(url, ca, protocols) {
  const socket = new WebSocket(url, protocols, ca ? { ca: fs.readFileSync(ca) } : {});
  const heard = [];
  const waiting = [];
  socket.on("message", (data, binary) => (waiting.shift() ?? ((pair) => heard.push(pair)))([data, binary]));
  socket.hear = () => (heard.length > 0 ? Promise.resolve(heard.shift()) : new Promise((done) => waiting.push(done)));
  return new Promise((done, failed) => {
    socket.on("open", () => done(socket));
    socket.on("error", failed);
  });
}

async function ask(url, ca) {
  const socket = await open(url, ca, ["chat.v1", "chat.v2"]);
  assert.equal(socket.protocol, "chat.v2");
  assert.ok(socket.extensions.includes("permessage-deflate"), socket.extensions);
  socket.send("olá");
  assert.deepEqual(await socket.hear(), [Buffer.from("olá"), false]);
  socket.send(LARGE);
  assert.deepEqual(await socket.hear(), [LARGE, true]);
  for (let at = 0; at < 1000; at++) {
    socket.send(String(at));
  }
  for (let at = 0; at < 1000; at++) {
    assert.equal(String((await socket.hear())[0]), String(at));
  }
  const pong = new Promise((done) => socket.once("pong", done));
  socket.ping("here?");
  assert.equal(String(await pong), "here?");
  const closed = new Promise((done) => socket.once("close", (code, reason) => done([code, String(reason)])));
  socket.send("leave");
  assert.deepEqual(await closed, [4001, "as you wish"]);
  await assert.rejects(open(`${url}/forbidden`, ca), /401/);
}

const [what, ...rest] = process.argv.slice(2);
if (what === "serve") {
  serve();
} else {
  setTimeout(() => assert.fail("it takes too long"), PATIENCE).unref();
  ask(...rest).then(() => process.exit(0), (error) => {
    console.error(error);
    process.exit(1);
  });
}
