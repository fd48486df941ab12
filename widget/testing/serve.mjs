// A scripted relay for looking at the widget: serves the built files, the demo shop, and one of a
// few stories over a real WebSocket. For developing the looks only; nothing of it is shipped.
//
//   npm run build -w widget && node widget/testing/serve.mjs 8799 [story]
//   http://shop.localhost:8799/ is the shop, http://chat.localhost:8799/c/demo the chat link.
//   Stories: fresh, serving, all_full, nobody_online, ended, closed, disabled, refused.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PORT = Number(process.argv[2] ?? 8799);
const ANA = { id: "ana", nickname: "晓雨" };
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data: blob:; frame-ancestors *";

const say = (...words) => process.stdout.write(`${words.join(" ")}\n`);
let story = process.argv[3] ?? "fresh";
let position = 100;

function file(path) {
  return readFileSync(join(ROOT, normalize(path)));
}

function answerJson(response, status, body) {
  response.writeHead(status, {
    "content-type": "application/json",
    "access-control-allow-origin": "*",
  });
  response.end(JSON.stringify(body));
}

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url ?? "/", "http://x");
  try {
    if (pathname.startsWith("/_story/")) {
      story = pathname.slice(8);
      return answerJson(response, 200, { story });
    }
    if (pathname.endsWith("/boot")) {
      if (story === "refused") return answerJson(response, 403, { code: "origin_refused" });
      const boot = { frame_url: "/w/demo/frame", name: "云洁", return_tickets: true };
      return answerJson(response, 200, boot);
    }
    if (pathname.endsWith("/visitor")) {
      if (story === "disabled") return answerJson(response, 403, { code: "site_disabled" });
      return answerJson(response, 200, { visitor_id: "vera", token: "t-vera" });
    }
    if (pathname.endsWith("/ticket")) return answerJson(response, 200, { ticket: "ticket-1" });
    if (pathname === "/widget.js") return send(response, "dist/widget.js");
    if (pathname.startsWith("/w/assets/")) return send(response, `dist${pathname.slice(2)}`);
    if (pathname.endsWith("/frame") || pathname.startsWith("/c/")) {
      const mode = pathname.startsWith("/c/") ? "page" : "panel";
      const html = file("dist/frame.html")
        .toString()
        .replaceAll("__SITE_ID__", "demo")
        .replaceAll("__MODE__", mode)
        .replaceAll("__CSP_NONCE__", "n");
      response.writeHead(200, {
        "content-type": TYPES[".html"],
        "content-security-policy": POLICY,
      });
      return response.end(html);
    }
    return send(response, `demo${pathname === "/" ? "/index.html" : pathname}`);
  } catch {
    response.writeHead(404).end("not found");
  }
});

function send(response, path) {
  const type = TYPES[extname(path)] ?? "application/octet-stream";
  const snippet = `<script async src="http://chat.localhost:${PORT}/widget.js" data-site="demo"></script>`;
  const body = file(path);
  response.writeHead(200, { "content-type": type, "access-control-allow-origin": "*" });
  response.end(extname(path) === ".html" ? body.toString().replace("__SNIPPET__", snippet) : body);
}

// The stories.

const hour = 60 * 60 * 1000;
const me = { kind: "me" };
const agent = { kind: "agent", agent: ANA };
const system = { kind: "system" };
const text = (words) => ({ kind: "text", text: words });
const WELCOME = "您好，欢迎来到云洁。产品、订单、维修都可以问，先说说遇到的问题吧。";

function message(seq, author, content, at, conversation_id = "c1") {
  return { conversation_id, seq, client_id: `m-${conversation_id}-${seq}`, author, content, at };
}

function conversation(status, last_seq, read) {
  const agent_marks = { delivered: read, read };
  return {
    id: "c1",
    rev: position,
    status,
    agent_marks,
    own_marks: { delivered: 0, read: 0 },
    last_seq,
  };
}

function snapshotOf(name) {
  const now = Date.now();
  const site = { id: "demo", name: "云洁在线客服", welcome: WELCOME, preview: true, enabled: true };
  const base = {
    visitor: { id: "vera" },
    site,
    conversation: null,
    messages: [],
    has_earlier: false,
  };
  const first = [
    message(1, system, { kind: "notice", notice: { kind: "welcome", text: WELCOME } }, now - hour),
    message(2, me, text("X20 拖布不出水了，水箱是满的"), now - hour),
  ];
  if (name === "all_full" || name === "nobody_online") {
    const status = { kind: "waiting", reason: name };
    return { ...base, conversation: conversation(status, 2, 0), messages: first };
  }
  const joined = { kind: "notice", notice: { kind: "agent_joined", agent: ANA } };
  const talk = [
    ...first,
    message(3, system, joined, now - hour + 9e3),
    message(
      4,
      agent,
      text("您好，我是晓雨。家里的地面和养宠情况告诉我，马上帮您看合不合适。"),
      now - 50e4,
    ),
    message(5, me, text("厨房有个门槛，X20 Pro 能过去吗？"), now - 12e4),
    message(6, agent, text("可以的，它最高能越过 2.2 cm。\n您家大约多高？"), now - 9e4),
    message(
      7,
      agent,
      text("参数页在这里：https://shop.example/x20-pro（含拖布抬升高度）"),
      now - 8e4,
    ),
    message(8, me, text("大约 1.8 厘米"), now - 6e4),
  ];
  if (name === "serving") {
    const status = { kind: "serving", agent: ANA };
    return { ...base, has_earlier: true, conversation: conversation(status, 8, 8), messages: talk };
  }
  if (name === "ended" || name === "closed") {
    const status = { kind: "ended", by: "agent", at: now - 1e3 };
    const end = { kind: "notice", notice: { kind: "ended", by: "agent" } };
    const messages = [...talk, message(9, system, end, now - 1e3)];
    const site_now = { ...site, enabled: name === "ended" };
    return { ...base, site: site_now, conversation: conversation(status, 9, 8), messages };
  }
  return base;
}

function play(socket) {
  const tell = (frame) => socket.write(encode(JSON.stringify(frame)));
  let seq = 8;
  let running = null;
  const deliver = (bodies) => {
    const after = position;
    const events = bodies.map((body) => {
      position += 1;
      return { position, ...body };
    });
    tell({ type: "delivery", after, upto: position, events });
  };
  return (frame) => {
    const { id, type, body } = JSON.parse(frame);
    if (type === "hello") {
      const snapshot = snapshotOf(story);
      running = snapshot.conversation;
      const start = { mode: "snapshot", position, snapshot };
      tell({ type: "welcome", version: 1, epoch: "e1", now: Date.now(), start });
      if (story === "serving") {
        const signal = { kind: "agent_typing", conversation_id: "c1" };
        setTimeout(() => tell({ type: "signal", signal }), 300);
      }
    } else if (type === "send_message") {
      if (running === null) {
        running = conversation({ kind: "waiting", reason: "routing" }, 0, 0);
        const notice = { kind: "notice", notice: { kind: "welcome", text: WELCOME } };
        seq = 1;
        deliver([
          { type: "conversation_started", conversation: running },
          { type: "message_appended", message: message(1, system, notice, Date.now()) },
        ]);
      }
      seq += 1;
      const stored = { ...message(seq, me, text(body.text), Date.now()), client_id: id };
      tell({
        type: "reply",
        id,
        ok: { kind: "accepted", conversation_id: "c1", seq, at: stored.at },
      });
      deliver([{ type: "message_appended", message: stored }]);
      const marks = { delivered: seq, read: seq };
      setTimeout(() => deliver([{ type: "agent_marked", conversation_id: "c1", marks }]), 800);
      setTimeout(() => {
        seq += 1;
        const status = { kind: "serving", agent: ANA };
        const answer = message(seq, agent, text(`收到：${body.text.slice(0, 40)}`), Date.now());
        deliver([
          { type: "status_changed", conversation_id: "c1", status },
          { type: "message_appended", message: answer },
        ]);
      }, 1500);
    } else if (type === "load_history") {
      const { conversation_id, seq: before } = body.before;
      const upto = conversation_id === "c0" ? before - 1 : 60;
      const messages = Array.from({ length: 20 }, (_, at) => {
        const number = upto - 19 + at;
        const author = number % 2 ? me : agent;
        return message(number, author, text(`早先的消息 ${number}`), Date.now() - 90 * hour, "c0");
      });
      const page = { messages, has_earlier: upto > 20 };
      setTimeout(() => tell({ type: "reply", id, ok: { kind: "history", page } }), 400);
    } else if (type !== "preview") {
      tell({ type: "reply", id, ok: { kind: "done" } });
      say(type, JSON.stringify(body));
    } else {
      say("preview", JSON.stringify(body.text));
    }
  };
}

// Just enough of RFC 6455: text frames under 64 KiB.

function encode(words) {
  const body = Buffer.from(words);
  const head =
    body.length < 126
      ? Buffer.from([0x81, body.length])
      : Buffer.from([0x81, 126, body.length >> 8, body.length & 255]);
  return Buffer.concat([head, body]);
}

function decoder(onText, onClose) {
  let held = Buffer.alloc(0);
  return (chunk) => {
    held = Buffer.concat([held, chunk]);
    while (held.length >= 6) {
      const is_long = (held[1] & 127) === 126;
      if (is_long && held.length < 8) return;
      const length = is_long ? held.readUInt16BE(2) : held[1] & 127;
      const at = is_long ? 4 : 2;
      if (held.length < at + 4 + length) return;
      const mask = held.subarray(at, at + 4);
      const body = Buffer.from(held.subarray(at + 4, at + 4 + length));
      for (let byte = 0; byte < length; byte += 1) body[byte] ^= mask[byte % 4];
      const kind = held[0] & 15;
      held = held.subarray(at + 4 + length);
      if (kind === 8) onClose();
      if (kind === 1) onText(body.toString());
    }
  };
}

server.on("upgrade", (request, socket) => {
  const key = `${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
  const accept = createHash("sha1").update(key).digest("base64");
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  socket.on(
    "data",
    decoder(play(socket), () => socket.end()),
  );
  socket.on("error", () => socket.destroy());
});
server.listen(PORT, "127.0.0.1", () => say(`http://shop.localhost:${PORT}/`));
