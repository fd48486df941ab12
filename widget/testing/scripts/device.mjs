// A visitor's device without a browser: the widget's own modules (client, outbox, connection,
// storage, identity), unchanged, in one JavaScript realm for each tab. Only the world around them is
// made here: storage with its events between tabs, locks, the clock, freezing, and sockets and
// requests that really go to the relay through the script's network.

import { createContext, Script } from "node:vm";
import { build } from "vite";
import { WebSocket } from "ws";

const BOX = "{}";

/** The widget's modules as one script that gives `Yingke`. */
export async function compile(root) {
  const built = await build({
    root,
    configFile: false,
    logLevel: "error",
    build: {
      write: false,
      minify: false,
      target: "es2022",
      lib: {
        entry: `${root}/testing/scripts/entry.ts`,
        formats: ["iife"],
        name: "Yingke",
        fileName: "entry",
      },
    },
  });
  const [{ output }] = Array.isArray(built) ? built : [built];
  return new Script(output[0].code, { filename: "widget.js" });
}

/** A lock for each name, held by one tab, handed on when it is let go or the tab is gone. */
class Locks {
  #queues = new Map();

  request(tab, run, name, work) {
    return new Promise((resolve, reject) => {
      const queue = this.#queues.get(name) ?? [];
      this.#queues.set(name, queue);
      const entry = { tab, begin: () => {} };
      entry.begin = () =>
        run(async () => {
          try {
            resolve(await work());
          } catch (thrown) {
            reject(thrown);
          } finally {
            this.#leave(queue, entry);
          }
        });
      queue.push(entry);
      if (queue[0] === entry) entry.begin();
    });
  }

  gone(tab) {
    for (const queue of this.#queues.values()) {
      for (const entry of queue.filter((waits) => waits.tab === tab)) this.#leave(queue, entry);
    }
  }

  #leave(queue, entry) {
    const at = queue.indexOf(entry);
    if (at < 0) return;
    queue.splice(at, 1);
    if (at === 0) queue[0]?.begin();
  }
}

/** One visitor's browser. */
export class Device {
  tabs = [];
  tokens = new Set();
  /** Added to the wall clock: the device slept, or its clock was set. */
  clock_offset = 0;
  is_online = true;
  /** `good`, `full` (writing fails), or `blocked` (there is none, for tabs opened from now on). */
  storage = "good";
  disk = new Map();
  /** What each change of the storage replaced, and when. */
  #changes = [];
  locks = new Locks();
  has_locks = true;
  /** The code is there without a network, as a page that is open already. */
  can_load = true;
  #parts;

  constructor(parts) {
    this.#parts = parts;
  }

  open() {
    const tab = new Tab(this, this.#parts);
    this.tabs.push(tab);
    return Promise.resolve(tab);
  }

  clearStorage() {
    this.disk.clear();
    this.#changes = [];
    return Promise.resolve();
  }

  /** A change of the storage; null removes. */
  keep(key, value) {
    this.#changes.push({ at: performance.now(), key, former: this.disk.get(key) ?? null });
    this.#set(key, value);
  }

  #set(key, value) {
    if (value === null) this.disk.delete(key);
    else this.disk.set(key, value);
  }

  /**
   * The browser is killed. Its storage is written down late and as a whole, so it is as it was some
   * time before. Gives the messages that are there.
   */
  kill(before) {
    for (const tab of [...this.tabs]) tab.close();
    const end = performance.now() - before;
    while (this.#changes.length > 0 && this.#changes.at(-1).at > end) {
      const { key, former } = this.#changes.pop();
      this.#set(key, former);
    }
    // Who the visitor is was not written down yet: then nothing was.
    if (![...this.disk.keys()].some((key) => key.endsWith(":token"))) this.disk.clear();
    this.#changes = [];
    this.storage = "good";
    this.is_online = true;
    const kept = [...this.disk].filter(([key]) => key.includes(":out:"));
    return new Set(kept.map(([, value]) => JSON.parse(value).text));
  }

  setOnline(is_online) {
    this.is_online = is_online;
    for (const tab of this.tabs) tab.tell("window", is_online ? "online" : "offline", {});
    return Promise.resolve();
  }

  /** The computer sleeps: nothing runs, and the time it slept passes at once. */
  async sleep(time) {
    await Promise.all(this.tabs.map((tab) => tab.freeze(true)));
    this.clock_offset += time;
  }

  async wake() {
    await Promise.all(this.tabs.map((tab) => tab.freeze(false)));
  }

  close() {
    for (const tab of [...this.tabs]) tab.close();
    return Promise.resolve();
  }
}

/** One tab: a realm with the widget's modules in it. */
class Tab {
  token = null;
  #device;
  #parts;
  #client = null;
  #box = BOX;
  /** Counts the pages loaded: what belongs to an earlier one is never heard of again. */
  #page = 0;
  #is_gone = false;
  #is_frozen = false;
  #waiting = [];
  #timers = new Set();
  #sockets = new Set();
  #listeners = { window: new Map(), document: new Map() };
  #disk = null;

  constructor(device, parts) {
    this.#device = device;
    this.#parts = parts;
    this.#load();
  }

  /** Runs something in the tab: later if it is frozen, never if it is gone. */
  run(work) {
    if (this.#is_gone) return;
    if (this.#is_frozen) this.#waiting.push(work);
    else work();
  }

  /** `run` as the page that is there now will have it, and only that one. */
  #runOfPage() {
    const page = this.#page;
    return (work) => {
      if (page === this.#page) this.run(work);
    };
  }

  tell(target, type, event) {
    this.run(() => {
      for (const listener of this.#listeners[target].get(type) ?? []) listener(event);
    });
  }

  say(text) {
    return Promise.resolve(this.#is_frozen ? false : this.#client.write(text));
  }

  /** A leave-message, also where the form would not offer it any more: the relay decides. */
  leave(text) {
    const leave = { name: "Vera", contact: "vera@example.com" };
    return Promise.resolve(this.#is_frozen ? false : this.#client.write(text, leave));
  }

  leaveQueue() {
    if (!this.#is_frozen) this.#client.leaveQueue();
    return Promise.resolve();
  }

  type(text) {
    if (!this.#is_frozen) this.#client.type(text);
    return Promise.resolve();
  }

  end() {
    if (!this.#is_frozen) this.#client.end();
    return Promise.resolve();
  }

  /** What the page shows, and how it is marked. */
  shows() {
    const { state } = this.#client;
    const lines = this.#parts.linesOf(this.#box, state);
    return Promise.resolve({ lines, is_durable: state.is_durable, link: state.link });
  }

  freeze(is_frozen) {
    this.#is_frozen = is_frozen;
    if (!is_frozen) for (const work of this.#waiting.splice(0)) this.run(work);
    return Promise.resolve();
  }

  reload() {
    this.#unload();
    this.#load();
    return Promise.resolve();
  }

  close() {
    this.#unload();
    const { tabs } = this.#device;
    tabs.splice(tabs.indexOf(this), 1);
    return Promise.resolve();
  }

  #unload() {
    this.#is_gone = true;
    for (const timer of this.#timers) clearTimeout(timer);
    for (const socket of this.#sockets) socket.terminate();
    this.#timers.clear();
    this.#sockets.clear();
    this.#waiting = [];
    this.#device.locks.gone(this);
  }

  #load() {
    this.#page += 1;
    this.#is_gone = false;
    this.#is_frozen = false;
    this.#listeners = { window: new Map(), document: new Map() };
    const device = this.#device;
    const listen = (target) => (type, listener) => {
      const known = this.#listeners[target].get(type) ?? [];
      this.#listeners[target].set(type, [...known, listener]);
    };
    this.#disk = device.storage === "blocked" ? null : this.#storage();
    const disk = this.#disk;
    const run = this.#runOfPage();
    const window = {
      addEventListener: listen("window"),
      setTimeout: (work, time) => this.#timer(run, work, time),
      clearTimeout: (timer) => this.#clear(timer),
      get localStorage() {
        if (disk === null) throw new Error("SecurityError");
        return disk;
      },
    };
    const locks = {
      request: (name, work) => device.locks.request(this, run, name, work),
    };
    const world = {
      window,
      document: { addEventListener: listen("document"), visibilityState: "visible" },
      navigator: {
        get onLine() {
          return device.is_online;
        },
        ...(device.has_locks ? { locks } : {}),
      },
      location: { protocol: "http:", host: `127.0.0.1:${this.#parts.network.port}` },
      setTimeout: window.setTimeout,
      clearTimeout: window.clearTimeout,
      performance: { now: () => performance.now() },
      crypto,
      AbortController,
      fetch: (path, init) => this.#fetch(path, init),
      WebSocket: this.#socketClass(),
      now: () => Date.now() + device.clock_offset,
    };
    const box = createContext(world);
    this.#parts.script.runInContext(box);
    this.#box = box;
    this.#client = box.begin({
      site: this.#parts.site,
      is_storage_blocked: disk === null,
    });
  }

  #timer(run, work, time) {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      run(work);
    }, time);
    this.#timers.add(timer);
    return timer;
  }

  #clear(timer) {
    clearTimeout(timer);
    this.#timers.delete(timer);
  }

  /** This tab's view of the device's storage. */
  #storage() {
    const device = this.#device;
    const changed = (key, newValue) => {
      for (const tab of device.tabs) {
        if (tab === this || tab.#disk === null) continue;
        const event = { storageArea: tab.#disk, key, newValue };
        // As in a browser: later, and not before the writer's task is over.
        setImmediate(() => tab.tell("window", "storage", event));
      }
    };
    return {
      get length() {
        return device.disk.size;
      },
      key: (at) => [...device.disk.keys()][at] ?? null,
      getItem: (key) => device.disk.get(key) ?? null,
      setItem: (key, value) => {
        if (device.storage === "full") throw new Error("QuotaExceededError");
        device.keep(key, value);
        changed(key, value);
      },
      removeItem: (key) => {
        if (!device.disk.has(key)) return;
        device.keep(key, null);
        changed(key, null);
      },
    };
  }

  #fetch(path, init) {
    const { port } = this.#parts.network;
    const run = this.#runOfPage();
    return new Promise((resolve, reject) => {
      const { method, headers, body, signal } = init;
      fetch(`http://127.0.0.1:${port}${path}`, { method, headers, body, signal }).then(
        async (response) => {
          const text = await response.text().catch(() => "");
          run(() => resolve({ ok: response.ok, json: () => JSON.parse(text) }));
        },
        (thrown) => run(() => reject(thrown)),
      );
    });
  }

  #socketClass() {
    const tab = this;
    const run = this.#runOfPage();
    return class TabSocket {
      static OPEN = 1;
      onopen = null;
      onclose = null;
      onmessage = null;
      #inner;

      constructor(url) {
        this.#inner = new WebSocket(url, { perMessageDeflate: false });
        tab.#sockets.add(this.#inner);
        this.#inner.on("error", () => {});
        this.#inner.on("open", () => run(() => this.onopen?.()));
        this.#inner.on("message", (frame) => {
          const data = frame.toString();
          run(() => this.onmessage?.({ data }));
        });
        this.#inner.on("close", () => {
          tab.#sockets.delete(this.#inner);
          run(() => this.onclose?.());
        });
      }

      get readyState() {
        return this.#inner.readyState;
      }

      send(text) {
        run(() => tab.heard(text));
        if (this.#inner.readyState === 1) this.#inner.send(text);
      }

      close() {
        this.#inner.close();
      }
    };
  }

  /** The token it says hello with is the visitor it is. */
  heard(text) {
    const { type, body } = JSON.parse(text);
    if (type !== "hello") return;
    this.token = body.token;
    this.#device.tokens.add(body.token);
  }
}
