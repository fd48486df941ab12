// A scripted relay for looking at the widget: serves the built files, the demo shop, and one of a
// few stories over a real WebSocket. For developing the looks only; nothing of it is shipped.
//
//   npm run build -w widget && node widget/testing/serve.mjs 8799 [story]
//   http://shop.localhost:8799/ is the shop, http://chat.localhost:8799/c/demo the chat link.
//   Stories: fresh, choices, many, serving, three, all_full, nobody_online, closed, requeued, auto,
//   ended, agent_away, visitor_silent, left_queue, leave_message, off, disabled, refused; with +words
//   the company says each state in its own words.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PORT = Number(process.argv[2] ?? 8799);
const ANA = { id: "ana", nickname: "晓雨" };
const BEN = { id: "ben", nickname: "若溪" };
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};
const POLICY =
  "default-src 'none'; script-src 'self' 'nonce-n'; style-src 'self' 'nonce-n'; connect-src 'self' ws: wss:; img-src 'self' data: blob:; frame-ancestors *";

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
  const own_marks = { delivered: 0, read: 0 };
  return { id: "c1", rev: position, status, agent_marks, own_marks, last_seq, members: [] };
}

const OWN_WORDS = {
  waiting: "正在为您找最合适的顾问…",
  queued: "您排在第 {place} 位，大约还要 {wait}。旺季人多，谢谢您的耐心！",
  nobody_online: "云洁的顾问都在路上，请留个电话，两小时内回电。",
  closed: "我们的服务时间是 9:00 到 21:00。",
  agent_joined: "您好，{agent}来接待您了",
  agent_changed: "接下来由{agent}继续帮您",
  agent_ended: "感谢咨询云洁，{agent}祝您生活愉快",
  timed_out: "长时间没有收到您的回复，先结束会话啦",
  agent_away: "{agent}临时离开，请重新咨询",
  reconnecting: "网络有点慢，正在重新连接云洁客服…",
  offline: "您离线了，恢复后会自动发送",
  message_left: "留言收到，云洁会在两小时内回电。",
};
const NO_WORDS = Object.fromEntries(Object.keys(OWN_WORDS).map((key) => [key, ""]));

function siteOf(name) {
  const [base, words] = name.split("+");
  const departments = [
    { id: "default", name: "" },
    { id: "after", name: "售后维修" },
  ];
  const picks = base === "choices" || base === "many";
  const count = base === "many" ? 12 : 3;
  const people = Array.from({ length: count }, (_, at) => ({
    id: `a${at}`,
    nickname: `顾问${at}`,
  }));
  return {
    id: "demo",
    name: "云洁在线客服",
    welcome: WELCOME,
    preview: true,
    enabled: base !== "off",
    prompts: words ? OWN_WORDS : NO_WORDS,
    categories: picks ? ["售前咨询", "订单与物流", "售后维修", "发票"] : [],
    departments: picks ? departments : [],
    agents: picks ? [ANA, BEN, ...people].slice(0, count) : [],
  };
}

const ENDS = ["ended", "off", "agent_away", "visitor_silent", "left_queue", "leave_message"];

function snapshotOf(full_name) {
  const now = Date.now();
  const [name] = full_name.split("+");
  const base = {
    visitor: { id: "vera" },
    site: siteOf(full_name),
    conversation: null,
    messages: [],
    has_earlier: false,
  };
  const notice = (seq, body, at) => message(seq, system, { kind: "notice", notice: body }, at);
  const first = [
    notice(1, { kind: "welcome", text: WELCOME }, now - 40e3),
    message(2, me, text("X20 拖布不出水了，水箱是满的"), now - 38e3),
  ];
  if (["all_full", "nobody_online", "closed"].includes(name)) {
    const status = { kind: "waiting", reason: name };
    return { ...base, conversation: conversation(status, 2, 0), messages: first };
  }
  if (name === "left_queue" || name === "leave_message") {
    const messages = [...first, notice(3, { kind: "ended", by: name }, now - 1e3)];
    const status = { kind: "ended", by: name, at: now - 1e3 };
    return { ...base, conversation: conversation(status, 3, 0), messages };
  }
  const talk = [
    { ...first[0], at: now - hour },
    { ...first[1], at: now - hour },
    notice(3, { kind: "agent_joined", agent: ANA }, now - hour + 9e3),
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
  const serving = { kind: "serving", agent: ANA };
  if (name === "serving") {
    const held = conversation(serving, 8, 8);
    return { ...base, has_earlier: true, conversation: held, messages: talk };
  }
  if (name === "three") {
    const messages = [
      ...talk,
      notice(9, { kind: "member_joined", agent: BEN }, now - 5e4),
      message(10, { kind: "agent", agent: BEN }, text("我是维修的若溪，一起看看。"), now - 4e4),
      message(11, agent, text("麻烦拍一张门槛的照片。"), now - 3e4),
    ];
    const held = { ...conversation(serving, 11, 8), members: [BEN] };
    return { ...base, conversation: held, messages };
  }
  if (name === "auto") {
    const said = [
      { kind: "transferred", agent: BEN },
      { kind: "auto_reply", reply: "explain_delay", text: "" },
      {
        kind: "auto_reply",
        reply: "ask_visitor",
        text: "还在看吗？满减今晚 24 点截止：https://shop.example/sale",
      },
      { kind: "auto_reply", reply: "warn_visitor", text: "" },
    ];
    const lines = said.map((each, at) => notice(9 + at, each, now - 4e4 + at * 1e4));
    const held = conversation({ kind: "serving", agent: BEN }, 12, 8);
    return { ...base, conversation: held, messages: [...talk, ...lines] };
  }
  if (name === "requeued") {
    const again = notice(9, { kind: "requeued", why: "agent_lost" }, now - 1e4);
    const held = conversation({ kind: "waiting", reason: "all_full" }, 9, 8);
    return { ...base, conversation: held, messages: [...talk, again] };
  }
  if (ENDS.includes(name)) {
    const by = name === "ended" || name === "off" ? "agent" : name;
    const messages = [...talk, notice(9, { kind: "ended", by }, now - 1e3)];
    const held = conversation({ kind: "ended", by, at: now - 1e3 }, 9, 8);
    return { ...base, conversation: held, messages };
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
      if (running?.status.reason === "all_full") {
        const stands = (place) => {
          const signal = { kind: "place", conversation_id: "c1", place };
          tell({ type: "signal", signal: { ...signal, expected_wait_ms: place * 55e3 } });
        };
        for (const place of [3, 2, 1]) setTimeout(() => stands(place), 300 + (3 - place) * 20e3);
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
    } else if (type === "leave_message" || type === "leave_queue") {
      say(type, JSON.stringify(body));
      const by = type === "leave_queue" ? "left_queue" : "leave_message";
      const status = { kind: "ended", by, at: Date.now() };
      const notice = { kind: "notice", notice: { kind: "ended", by } };
      seq = running?.last_seq ?? 0;
      const own = { ...message(seq + 1, me, text(body.text), Date.now()), client_id: id };
      const end = message(seq + (body.text ? 2 : 1), system, notice, Date.now());
      const lines = body.text ? [own, end] : [end];
      running ??= conversation({ kind: "waiting", reason: "routing" }, 0, 0);
      tell({ type: "reply", id, ok: { kind: "done" } });
      deliver([
        { type: "conversation_started", conversation: { ...running, rev: position } },
        ...lines.map((line) => ({ type: "message_appended", message: line })),
        { type: "status_changed", conversation_id: "c1", status },
      ]);
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
