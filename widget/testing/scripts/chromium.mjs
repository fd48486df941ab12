// A visitor's device as a browser context of a real Chromium with real tabs, over the DevTools
// protocol. The page is the chat link's, from the relay, untouched; only what a person or a bad world
// does is done here: typing, reloading, freezing, switching the network or the storage off, killing
// the browser.

import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { WebSocket } from "ws";

const LOADED_WITHIN_MS = 60_000;
/** Chromium writes storage down five seconds after its first change, and then once a minute. */
const WRITTEN_DOWN_WITHIN_MS = 100_000;
/** What the browser does not fetch again by itself. */
const PAGE_PARTS = new Set(["Document", "Script", "Stylesheet"]);

const SHOWN = `(() => {
  const messages = [...document.querySelectorAll("[data-testid=message]")];
  const lines = messages.flatMap((row) => {
    const bubble = row.querySelector(".bubble")?.cloneNode(true);
    if (!bubble || row.dataset.author === "system") return [];
    bubble.querySelector(".heard")?.remove();
    const { clientId, state, seq, author, conversationId } = row.dataset;
    return [{
      client_id: clientId,
      text: bubble.textContent,
      mark: author === "me" ? state : null,
      seq: seq === undefined ? null : Number(seq),
      conversation: conversationId ?? null,
    }];
  });
  const status = document.querySelector("[data-testid=status]");
  return {
    lines,
    is_durable: document.querySelector("[data-kind=not_durable]") === null,
    link: status?.dataset.link ?? "none",
  };
})()`;

const NO_LOCKS = `Object.defineProperty(Navigator.prototype, "locks", { value: undefined });`;
const NO_STORAGE = `Object.defineProperty(window, "localStorage", {
  get() { throw new DOMException("blocked", "SecurityError"); },
});`;
const FULL = `Storage.prototype.kept ??= Storage.prototype.setItem;
  Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError"); };`;
/** The texts of all messages that the storage has. */
const KEPT = `Object.keys(localStorage).flatMap((key) => {
  return key.includes(":out:") ? [JSON.parse(localStorage.getItem(key)).text] : [];
})`;
const FREE = "if (Storage.prototype.kept) Storage.prototype.setItem = Storage.prototype.kept;";

/** The parent of a process that runs, or null. */
function parentOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return state === "Z" ? null : Number(parent);
  } catch {
    return null;
  }
}

/** A process and all that it started, and they. */
function familyOf(pid) {
  const all = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const children = all.map(Number).filter((other) => parentOf(other) === pid);
  return [pid, ...children.flatMap(familyOf)];
}

function end(pid) {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It went with another.
  }
}

/** A running browser. */
export class Chromium {
  #socket;
  #process;
  #folder = "";
  #next = 1;
  #asked = new Map();
  #sessions = new Map();

  static async start(program, folder) {
    const browser = new Chromium();
    browser.#folder = folder;
    const flags = [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--disable-dev-shm-usage",
      "--no-first-run",
      "--no-proxy-server",
      "--disable-background-networking",
      "--disable-background-timer-throttling",
      "--disable-component-update",
      "--disable-sync",
      "--remote-debugging-port=0",
      `--user-data-dir=${folder}`,
    ];
    browser.#process = spawn(program, flags, { stdio: ["ignore", "ignore", "pipe"] });
    const url = await new Promise((resolve, reject) => {
      let said = "";
      browser.#process.on("exit", () => reject(new Error(`Chromium ended: ${said}`)));
      browser.#process.stderr.on("data", (piece) => {
        said += piece;
        const found = /DevTools listening on (ws:\S+)/.exec(said);
        if (found !== null) resolve(found[1]);
      });
    });
    browser.#socket = new WebSocket(url, { perMessageDeflate: false, maxPayload: 1 << 28 });
    await new Promise((done) => browser.#socket.on("open", done));
    browser.#socket.on("message", (frame) => browser.#hear(JSON.parse(frame.toString())));
    browser.#socket.on("error", () => {});
    browser.#socket.on("close", () => browser.#gone());
    return browser;
  }

  /** Nobody answers any more. */
  #gone() {
    for (const { reject } of this.#asked.values()) reject(new Error("the browser is gone"));
    this.#asked.clear();
  }

  #hear({ id, error, result, method, params, sessionId }) {
    if (id === undefined) return this.#sessions.get(sessionId)?.(method, params);
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    if (error === undefined) asked?.resolve(result);
    else asked?.reject(new Error(error.message));
  }

  ask(method, params = {}, sessionId = undefined) {
    const id = this.#next;
    this.#next += 1;
    if (this.#socket.readyState !== WebSocket.OPEN) throw new Error("the browser is gone");
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
    });
  }

  listen(session, listener) {
    this.#sessions.set(session, listener);
  }

  forget(session) {
    this.#sessions.delete(session);
  }

  async device(network, site) {
    const { browserContextId } = await this.ask("Target.createBrowserContext");
    return new Device(this, browserContextId, network, site);
  }

  /** A device that is this whole browser's profile, and outlives the browser. */
  resident(network, site) {
    return new Device(this, undefined, network, site);
  }

  /** As the system does it: no part of the browser gets to do anything, or is there afterwards. */
  async kill() {
    const all = familyOf(this.#process.pid);
    for (const pid of all) end(pid);
    while (all.some((pid) => parentOf(pid) !== null)) {
      await new Promise((done) => setTimeout(done, 10));
    }
    this.#gone();
  }

  /** Whether a file of the profile's storage has it. */
  hasWrittenDown(text) {
    const folder = join(this.#folder, "Default", "Local Storage");
    const wanted = [Buffer.from(text), Buffer.from(text, "utf16le")];
    const has = (path) => {
      const held = readFileSync(path);
      return wanted.some((bytes) => held.includes(bytes));
    };
    try {
      const files = readdirSync(folder, { recursive: true, withFileTypes: true });
      return files.some((file) => file.isFile() && has(join(file.parentPath, file.name)));
    } catch {
      // Not there yet, or just replaced.
      return false;
    }
  }

  async close() {
    // It may be gone before it has answered.
    await this.ask("Browser.close").catch(() => {});
  }
}

/** One visitor's browser. */
class Device {
  tabs = [];
  tokens = new Set();
  has_locks = true;
  /** Whether the browser is killed under it, with all that others have in it. */
  is_mortal;
  #browser;
  #context;
  #network;
  #storage = "good";
  #is_online = true;
  url;

  constructor(browser, context, network, site) {
    this.#browser = browser;
    this.#context = context;
    this.is_mortal = context === undefined;
    this.#network = network;
    this.url = `http://127.0.0.1:${network.port}/c/${site}`;
  }

  /** A page must be fetched before it can open. */
  get can_load() {
    return this.#network.is_good && this.#is_online;
  }

  get storage() {
    return this.#storage;
  }

  set storage(storage) {
    this.#storage = storage;
    for (const tab of this.tabs) void tab.setStorage(storage).catch(() => {});
  }

  async open() {
    const tab = await Tab.open(this.#browser, this.#context, this);
    this.tabs.push(tab);
    await tab.setOnline(this.#is_online);
    return tab;
  }

  /** Does something in a tab that is none of the visitor's. */
  async #beside(work) {
    const { targetId } = await this.#browser.ask("Target.createTarget", {
      url: "about:blank",
      browserContextId: this.#context,
    });
    const attach = { targetId, flatten: true };
    const { sessionId } = await this.#browser.ask("Target.attachToTarget", attach);
    const done = await work((method, params) => this.#browser.ask(method, params, sessionId));
    await this.#browser.ask("Target.closeTarget", { targetId });
    return done;
  }

  async clearStorage() {
    const { origin } = new URL(this.url);
    const what = { origin, storageTypes: "all" };
    await this.#beside((ask) => ask("Storage.clearDataForOrigin", what));
  }

  async untilWrittenDown(text) {
    const end = performance.now() + WRITTEN_DOWN_WITHIN_MS;
    while (!this.#browser.hasWrittenDown(`"${text}"`)) {
      if (performance.now() > end) throw new Error(`${text} is not written down`);
      await new Promise((done) => setTimeout(done, 100));
    }
  }

  /** The browser was killed and started again: no tab is there. Gives the messages it has kept. */
  async revive(browser) {
    this.#browser = browser;
    this.tabs.length = 0;
    this.#storage = "good";
    this.#is_online = true;
    // Not the widget's page, which would take them up, and of its origin.
    const url = new URL("/healthz", this.url).href;
    return await this.#beside(async (ask) => {
      const look = `location.href === ${JSON.stringify(url)} ? ${KEPT} : null`;
      const end = performance.now() + LOADED_WITHIN_MS;
      for (;;) {
        // The relay may be away, by another script's doing.
        await ask("Page.navigate", { url });
        const wish = { expression: look, returnByValue: true };
        const held = await ask("Runtime.evaluate", wish).catch(() => null);
        if (Array.isArray(held?.result.value)) return new Set(held.result.value);
        if (performance.now() > end) throw new Error("the storage cannot be read");
        await new Promise((done) => setTimeout(done, 100));
      }
    });
  }

  async setOnline(is_online) {
    this.#is_online = is_online;
    await Promise.all(this.tabs.map((tab) => tab.setOnline(is_online)));
  }

  async sleep() {
    await Promise.all(this.tabs.map((tab) => tab.freeze(true)));
  }

  async wake() {
    await Promise.all(this.tabs.map((tab) => tab.freeze(false)));
  }

  async close() {
    if (this.is_mortal) return;
    await this.#browser.ask("Target.disposeBrowserContext", { browserContextId: this.#context });
  }
}

/** A real tab. */
class Tab {
  token = null;
  #browser;
  #device;
  #target;
  #session;
  #is_frozen = false;
  /** Whether a part of the page did not arrive: the relay was just away, by another script's doing. */
  #is_broken = false;

  static async open(browser, context, device) {
    const tab = new Tab();
    tab.#browser = browser;
    tab.#device = device;
    const blank = { url: "about:blank", browserContextId: context };
    tab.#target = (await browser.ask("Target.createTarget", blank)).targetId;
    const attach = { targetId: tab.#target, flatten: true };
    tab.#session = (await browser.ask("Target.attachToTarget", attach)).sessionId;
    browser.listen(tab.#session, (method, params) => tab.#hear(method, params));
    await tab.#ask("Network.enable");
    await tab.#ask("Page.enable");
    await tab.#ask("Emulation.setFocusEmulationEnabled", { enabled: true });
    const source = [
      device.has_locks ? "" : NO_LOCKS,
      device.storage === "blocked" ? NO_STORAGE : "",
      device.storage === "full" ? FULL : "",
    ].join("\n");
    await tab.#ask("Page.addScriptToEvaluateOnNewDocument", { source });
    await tab.#ask("Page.navigate", { url: device.url });
    await tab.#loaded();
    return tab;
  }

  #ask(method, params) {
    return this.#browser.ask(method, params, this.#session);
  }

  /** The token it says hello with is the visitor it is. */
  #hear(method, params) {
    if (method === "Network.loadingFailed") {
      this.#is_broken ||= PAGE_PARTS.has(params.type) && !params.canceled;
    }
    if (method !== "Network.webSocketFrameSent") return;
    const { type, body } = JSON.parse(params.response.payloadData);
    if (type !== "hello") return;
    this.token = body.token;
    this.#device.tokens.add(body.token);
  }

  async #run(expression) {
    const { result, exceptionDetails } = await this.#ask("Runtime.evaluate", {
      expression,
      returnByValue: true,
    });
    if (exceptionDetails !== undefined) throw new Error(exceptionDetails.text);
    return result.value;
  }

  async #loaded() {
    const end = performance.now() + LOADED_WITHIN_MS;
    const look = `location.href === ${JSON.stringify(this.#device.url)} &&
      document.querySelector("[data-testid=composer]") !== null`;
    while (!(await this.#run(look).catch(() => false))) {
      if (performance.now() > end) throw new Error("the page does not load");
      if (this.#is_broken) {
        // A browser shows its error page or half of ours until somebody loads it again.
        this.#is_broken = false;
        await this.#ask("Page.navigate", { url: this.#device.url });
      }
      await new Promise((done) => setTimeout(done, 25));
    }
  }

  async #write(text) {
    await this.#run(`(() => {
      const box = document.querySelector("[data-testid=composer]");
      box.focus();
      box.select();
    })()`);
    await this.#ask("Input.insertText", { text });
  }

  async say(text) {
    if (this.#is_frozen) return false;
    await this.#write(text);
    const key = { key: "Enter", code: "Enter", windowsVirtualKeyCode: 13 };
    await this.#ask("Input.dispatchKeyEvent", { ...key, type: "keyDown", text: "\r" });
    await this.#ask("Input.dispatchKeyEvent", { ...key, type: "keyUp" });
    // Written is what the page took out of the composer.
    return await this.#run(`document.querySelector("[data-testid=composer]").value === ""`);
  }

  async type(text) {
    if (!this.#is_frozen) await this.#write(text);
  }

  /** Leaves a message where the page offers it; nothing else is there to be clicked. */
  async leave(text) {
    if (this.#is_frozen) return false;
    const has = (testid) => `document.querySelector("[data-testid=${testid}]")`;
    await this.#run(`(${has("leave-instead")} ?? ${has("leave-open")})?.click()`);
    await new Promise((done) => setTimeout(done, 50));
    if (!(await this.#run(`${has("leave-form")} !== null`))) return false;
    await this.#write(text);
    await this.#run(`${has("leave-submit")}?.click()`);
    return await this.#run(`${has("composer")}.value === ""`);
  }

  async leaveQueue() {
    if (this.#is_frozen) return;
    for (let click = 0; click < 2; click += 1) {
      await this.#run(`document.querySelector("[data-testid=leave-queue]")?.click()`);
      await new Promise((done) => setTimeout(done, 50));
    }
  }

  async end() {
    if (this.#is_frozen) return;
    await this.#run(`document.querySelector("[data-testid=menu]").click()`);
    await new Promise((done) => setTimeout(done, 50));
    await this.#run(`document.querySelector("[data-testid=menu-end]")?.click()`);
  }

  async shows() {
    return await this.#run(SHOWN);
  }

  async freeze(is_frozen) {
    if (this.#is_frozen === is_frozen) return;
    this.#is_frozen = is_frozen;
    const state = is_frozen ? "frozen" : "active";
    await this.#ask("Page.setWebLifecycleState", { state });
  }

  async setOnline(is_online) {
    const none = { latency: 0, downloadThroughput: -1, uploadThroughput: -1 };
    await this.#ask("Network.emulateNetworkConditions", { offline: !is_online, ...none });
  }

  async setStorage(storage) {
    if (storage !== "blocked") await this.#run(storage === "full" ? FULL : FREE);
  }

  async reload() {
    await this.freeze(false);
    this.#is_broken = false;
    await this.#ask("Page.reload");
    await this.#loaded();
  }

  async close() {
    this.#browser.forget(this.#session);
    await this.#browser.ask("Target.closeTarget", { targetId: this.#target });
    const { tabs } = this.#device;
    tabs.splice(tabs.indexOf(this), 1);
  }
}
