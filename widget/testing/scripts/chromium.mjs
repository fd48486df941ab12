// A visitor's device as a browser context of a real Chromium with real tabs, over the DevTools
// protocol. The page is the chat link's, from the relay, untouched; only what a person or a bad world
// does is done here: typing, reloading, freezing, switching the network or the storage off.

import { spawn } from "node:child_process";
import { WebSocket } from "ws";

const LOADED_WITHIN_MS = 60_000;
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
const FREE = "if (Storage.prototype.kept) Storage.prototype.setItem = Storage.prototype.kept;";

/** A running browser. */
export class Chromium {
  #socket;
  #process;
  #next = 1;
  #asked = new Map();
  #sessions = new Map();

  static async start(program, folder) {
    const browser = new Chromium();
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
    return browser;
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

  async close() {
    await this.ask("Browser.close");
  }
}

/** One visitor's browser. */
class Device {
  tabs = [];
  tokens = new Set();
  has_locks = true;
  #browser;
  #context;
  #network;
  #storage = "good";
  #is_online = true;
  url;

  constructor(browser, context, network, site) {
    this.#browser = browser;
    this.#context = context;
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
    for (const tab of this.tabs) void tab.setStorage(storage);
  }

  async open() {
    const tab = await Tab.open(this.#browser, this.#context, this);
    this.tabs.push(tab);
    await tab.setOnline(this.#is_online);
    return tab;
  }

  async clearStorage() {
    const origin = new URL(this.url).origin;
    const { targetId } = await this.#browser.ask("Target.createTarget", {
      url: "about:blank",
      browserContextId: this.#context,
    });
    const attach = { targetId, flatten: true };
    const { sessionId } = await this.#browser.ask("Target.attachToTarget", attach);
    const what = { origin, storageTypes: "all" };
    await this.#browser.ask("Storage.clearDataForOrigin", what, sessionId);
    await this.#browser.ask("Target.closeTarget", { targetId });
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
