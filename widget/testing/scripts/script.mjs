// One random script on one device, and the model it is held against. The model is small: every text
// the visitor sent is in the relay's list exactly once in the end, whoever the visitor was by then,
// or it is still shown and marked, or it was in a tab that said that it keeps nothing, or in a
// browser that was killed before it had written it down. What one tab wrote stands in the order in
// which it was written. In the end staff is asked whether it sees the same (`judge`).

import { chanceOf } from "./chance.mjs";
import { disorder, Written } from "./order.mjs";
import { readVisitor } from "./relay.mjs";

const ACTIONS = [
  ["send", 32],
  ["leave", 5],
  ["leave_queue", 2],
  ["unheard", 8],
  ["type", 6],
  ["pause", 10],
  ["open", 7],
  ["reload", 9],
  ["close", 5],
  ["offline", 6],
  ["online", 9],
  ["mute", 5],
  ["cut", 6],
  ["freeze", 4],
  ["sleep", 3],
  ["answer", 8],
  ["end", 2],
  ["restart", 1],
  ["fill", 2],
  ["free", 3],
  ["block", 1],
  ["clear", 1],
  ["kill", 3],
];
/** Not in a browser that is killed with all that others have in it. */
const NOT_TOGETHER = new Set(["clear", "kill"]);
const WEIGHT = ACTIONS.reduce((sum, [, weight]) => sum + weight, 0);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const TABS_MAX = 3;
/** So long an answer waits for a conversation to be on the screen. */
const SHOWN_WITHIN_MS = 1_000;
/** How long before its death a browser wrote its storage down. */
const KILLED_BEFORE_MS = [0, 30, 300, 1_500];

function actionOf(chance) {
  let at = chance.below(WEIGHT);
  for (const [name, weight] of ACTIONS) {
    if (at < weight) return name;
    at -= weight;
  }
  return "pause";
}

const pass = (time) => new Promise((done) => setTimeout(done, time));

/** Waits for a condition; the last reason why not is the error. */
async function until(limit, look) {
  const end = performance.now() + limit;
  for (;;) {
    const why = await look().catch((thrown) => `it cannot be looked at: ${thrown}`);
    if (why === null) return;
    if (performance.now() > end) throw new Error(why);
    await pass(200);
  }
}

/** See the head of this file. */
export class Scenario {
  #chance;
  #device;
  #network;
  #parts;
  #name;
  /** Each text that was sent, by itself. */
  #sent = new Set();
  #written = new Written();
  /** Those that were in a tab that said that it keeps nothing, when it went; or in a browser that was
   * killed before it had written them down, or while they were being written. */
  #may_be_lost = new Set();
  /** What everybody agreed on last: each page, and who sent what, in order. */
  #evidence = null;
  /** Whether the last look at everything met a relay that was away. */
  #is_cut = false;
  #answers = 0;
  #deaths = 0;
  /** Unsent when the browser was killed, and there when it was started again. */
  #outlived = 0;
  /** What was done, for who reads of a failure. */
  steps = [];

  constructor(parts, device, network, seed) {
    this.#parts = parts;
    this.#device = device;
    this.#network = network;
    this.#chance = chanceOf(seed);
    this.#name = `s${seed}`;
  }

  /** The whole script on a device of its own. */
  async run() {
    await this.begin();
    await this.live(10 + this.#chance.below(11));
    return await this.end();
  }

  async begin() {
    this.#device.has_locks = this.#chance.below(6) > 0;
    await this.#isKnown(await this.#device.open());
  }

  /**
   * Who is killed with others is known as somebody before anything is said. A storage that was written
   * down with a message in it, but before the visitor was known, makes somebody else say it again.
   */
  async #isKnown(tab) {
    if (!this.#device.is_mortal) return;
    await until(60_000, async () => {
      const { link } = await tab.shows();
      return link === "live" ? null : `it begins ${link}`;
    });
  }

  async live(count) {
    const chance = this.#chance;
    for (let at = 0; at < count; at += 1) {
      const action = actionOf(chance);
      if (this.#device.is_mortal && NOT_TOGETHER.has(action)) continue;
      const tab = this.#device.tabs.length > 0 ? chance.one(this.#device.tabs) : null;
      this.steps.push(`${action}${tab === null ? "" : ` ${this.#device.tabs.indexOf(tab)}`}`);
      await this.#act(action, tab, chance.below(1_000));
      if (chance.below(3) > 0) await pass(chance.below(250));
    }
  }

  /** All is good again, and everybody agrees. */
  async end() {
    await this.#calm();
    const [deaths, outlived] = [this.#deaths, this.#outlived];
    return { sent: this.#sent.size, lost: this.#may_be_lost.size, deaths, outlived };
  }

  /** Words that must outlive the browser: said while nothing goes, and written down. */
  async lastWill() {
    const device = this.#device;
    device.storage = "good";
    this.#network.mute();
    for (let at = 0; at < 3; at += 1) await this.#act("send", device.tabs[0], 0);
    const text = this.#written.newest(device.tabs[0]);
    this.steps.push("last will");
    if (text !== undefined) await device.untilWrittenDown(text);
  }

  /**
   * What is said at the moment in which the browser is killed: it may be stored, or gone. Gives what
   * was shown as stored before.
   */
  async lastWords() {
    const shown = await Promise.all(this.#device.tabs.map((tab) => tab.shows()));
    const lines = shown.flatMap((page) => page.lines).filter(({ seq }) => seq !== null);
    const stored = new Set(lines.map((line) => line.text));
    const tab = this.#device.tabs.at(0);
    const text = `${this.#name} says ${this.#sent.size}`;
    this.steps.push("last words");
    this.#may_be_lost.add(text);
    if (tab === undefined) return stored;
    this.#wrote(tab, text);
    // Nobody hears whether the page took it.
    void tab.say(text).catch(() => {});
    return stored;
  }

  /** The browser was killed, and `read` says what its storage has; what was stored by then stays so. */
  async revive(read, stored) {
    this.#deaths += 1;
    this.steps.push("killed");
    this.#network.up();
    const kept = await read();
    for (const text of this.#sent) {
      if (kept.has(text)) this.#may_be_lost.delete(text);
      else if (!stored.has(text)) this.#may_be_lost.add(text);
      if (kept.has(text) && !stored.has(text)) this.#outlived += 1;
    }
    const tab = await this.#device.open();
    await this.#isKnown(tab);
    this.#written.goesOn(tab, kept);
  }

  async #act(action, tab, number) {
    const device = this.#device;
    switch (action) {
      case "send": {
        if (tab === null) return;
        const text = `${this.#name} says ${this.#sent.size}`;
        if (await tab.say(text)) this.#wrote(tab, text);
        return;
      }
      case "leave": {
        // Left, or said if an agent has it by now: once, whichever.
        if (tab === null) return;
        const text = `${this.#name} leaves ${this.#sent.size}`;
        if (await tab.leave(text)) this.#wrote(tab, text);
        return;
      }
      case "leave_queue":
        await tab?.leaveQueue();
        return;
      case "unheard":
        // Sent and stored, and the link breaks before the answer is there.
        if (!this.#network.is_good) return;
        this.#network.mute();
        await this.#act("send", tab, number);
        await pass(20 + (number % 100));
        this.#network.up();
        return;
      case "type":
        await tab?.type(`half of ${number}`);
        return;
      case "open":
        if (device.tabs.length < TABS_MAX && device.can_load) await device.open();
        return;
      case "reload":
        if (tab === null || !device.can_load) return;
        await this.#goes(tab);
        await tab.reload();
        return;
      case "close":
        if (tab === null) return;
        await this.#goes(tab);
        await tab.close();
        return;
      case "offline":
        this.#network.down();
        await device.setOnline(false);
        return;
      case "online":
        this.#network.up();
        await device.setOnline(true);
        return;
      case "mute":
        this.#network.mute();
        return;
      case "cut":
        this.#network.cut();
        return;
      case "freeze":
        await tab?.freeze(true);
        return;
      case "sleep": {
        this.#network.cut();
        // Once in a while so long that what waited is too old to go by itself.
        await device.sleep(number < 100 ? 7 * DAY : (1 + (number % 10)) * HOUR);
        await pass(50);
        await device.wake();
        return;
      }
      case "answer":
        await this.#answer(tab, number);
        return;
      case "end":
        await tab?.end();
        return;
      case "restart":
        this.#parts.ask({ what: "restart" });
        return;
      case "fill":
        device.storage = device.storage === "good" ? "full" : device.storage;
        return;
      case "free":
        device.storage = device.storage === "full" ? "good" : device.storage;
        return;
      case "block":
        device.storage = "blocked";
        return;
      case "clear":
        if (device.can_load) await this.#clear();
        return;
      case "kill":
        // A real browser is killed for several scripts at once.
        if (device.kill !== undefined) await this.#kill(number);
        return;
      default:
        await pass(number / 2);
    }
  }

  #wrote(tab, text) {
    this.#sent.add(text);
    this.#written.add(tab, text);
  }

  async #kill(number) {
    const stored = await this.lastWords();
    const before = KILLED_BEFORE_MS[number % KILLED_BEFORE_MS.length];
    await this.revive(() => this.#device.kill(before), stored);
  }

  /** The agent answers, up to three times in a row, in the newest conversation that a tab shows. */
  async #answer(tab, number) {
    const end = performance.now() + SHOWN_WITHIN_MS;
    let conversation = null;
    while (conversation === null && tab !== null) {
      const { lines } = await tab.shows();
      conversation = lines.findLast((line) => line.conversation !== null)?.conversation ?? null;
      if (performance.now() > end || !this.#network.is_good) break;
      await pass(50);
    }
    if (conversation === null) return;
    for (let more = 0; more <= number % 3; more += 1) {
      this.#answers += 1;
      const text = `answer ${this.#answers} to ${this.#name}`;
      this.#parts.ask({ what: "answer", conversation, text });
    }
  }

  /** The visitor clears the browser's data, which closes the pages; they are opened again. */
  async #clear() {
    for (const text of this.#sent) this.#may_be_lost.add(text);
    for (const tab of [...this.#device.tabs]) await tab.close();
    await this.#device.clearStorage();
    await this.#device.open();
  }

  /** A tab is about to go: what it alone holds may go with it only if it says so. */
  async #goes(tab) {
    const shown = await tab.shows();
    if (shown.is_durable) return;
    // The next page does not know what this one had still to send.
    this.#written.breaksOff(tab);
    for (const { mark, seq, text } of shown.lines) {
      if (seq === null && mark !== "sent") this.#may_be_lost.add(text);
    }
  }

  /** Everything is good again; then all must agree. */
  async #calm() {
    const device = this.#device;
    this.#network.up();
    device.storage = "good";
    await device.wake();
    await device.setOnline(true);
    // What an earlier page left on the disk is taken up.
    await device.open();
    await until(60_000, () => this.#agree());
    // To all of that she says something, and what she said has arrived then, or never will.
    await this.#answer(device.tabs[0], 1);
    await this.#parts.hear({ what: "settle" });
    let why = null;
    do {
      await until(60_000, () => this.#agree());
      // And it stays so, but for the relay's restart that another script asked for.
      await pass(300);
      why = await this.#agree();
    } while (why !== null && this.#is_cut);
    if (why !== null) throw new Error(`it did not stay so: ${why}`);
    const { verdict } = await this.#parts.hear({ what: "judge", ...this.#evidence });
    if (verdict !== null) throw new Error(verdict);
    const { port, source } = this.#parts;
    for (const token of device.tokens) {
      await until(60_000, () =>
        readVisitor(port, source, token, true).then(
          () => null,
          (error) => error.message,
        ),
      );
    }
  }

  /** Null, or why not yet; sets whether that is a relay that cannot be asked. */
  async #agree() {
    this.#is_cut = false;
    for (const [at, tab] of this.#device.tabs.entries()) {
      const { lines, link } = await tab.shows();
      if (link !== "live") {
        this.#is_cut = true;
        return `tab ${at} is ${link}`;
      }
      const waits = lines.find(({ mark }) => mark === "queued" || mark === "sending");
      if (waits !== undefined) return `${waits.text} is still ${waits.mark}`;
    }
    const stored = [];
    const pages = [];
    const by_token = new Map();
    for (const token of this.#device.tokens) {
      const { port, source } = this.#parts;
      const held = await readVisitor(port, source, token).catch((error) => error);
      if (held instanceof Error) {
        this.#is_cut = true;
        return held.message;
      }
      const { messages } = held;
      const texts = messages.filter(({ content }) => content.kind === "text");
      by_token.set(token, texts);
      const own = texts.filter(({ author }) => author.kind === "me");
      const visitor = by_token.size;
      stored.push(...own.map((message) => ({ ...message, visitor })));
    }
    const shown = new Map();
    for (const [at, tab] of this.#device.tabs.entries()) {
      const { lines } = await tab.shows();
      shown.set(tab, lines);
      const list = lines.filter(({ seq }) => seq !== null);
      const truth = by_token.get(tab.token) ?? [];
      pages.push({ lines: list, conversations: truth.map((message) => message.conversation_id) });
      const ours = list.map(({ client_id, seq, text }) => `${seq} ${client_id} ${text}`);
      const theirs = truth.map(({ client_id, seq, content }) => {
        return `${seq} ${client_id} ${content.text}`;
      });
      if (ours.join("\n") !== theirs.join("\n")) {
        const who = [...by_token.keys()].indexOf(tab.token) + 1;
        return `tab ${at}, visitor ${who} of ${by_token.size}, shows\n${ours.join("\n")}\nnot\n${theirs.join("\n")}`;
      }
    }
    const unsent = [...shown.values()].flat().filter(({ seq }) => seq === null);
    for (const text of this.#sent) {
      const found = stored.filter(({ content }) => content.text === text);
      const copies = found.length;
      if (copies > 1) {
        const where = found.map(({ client_id, visitor }) => `${client_id} of visitor ${visitor}`);
        return `doubled: ${text} is stored as ${where.join(" and ")}`;
      }
      const marks = unsent.filter((line) => line.text === text).map(({ mark }) => mark);
      const is_marked = marks.some((mark) => mark === "failed" || mark === "wedged");
      if (copies === 1 && marks.length > 0) return `${text} is stored and shown as ${marks}`;
      if (copies === 0 && !is_marked && !this.#may_be_lost.has(text)) {
        return `${text} is ${marks.length > 0 ? `still ${marks}` : "lost"}`;
      }
      const is_there = [...shown.values()].filter((lines) => lines.some((l) => l.text === text));
      if (copies === 0 && is_marked && is_there.length < shown.size && !this.#isAlone()) {
        return `${text} is marked in ${is_there.length} of ${shown.size} tabs`;
      }
    }
    const lists = [...by_token.values()].map((texts) => texts.map(({ content }) => content.text));
    for (const lines of shown.values()) {
      lists.push(lines.filter(({ seq }) => seq === null).map(({ text }) => text));
    }
    const found = disorder(this.#written.chains, lists);
    if (found !== null) return found;
    const places = new Map(stored.map((message) => [message.content.text, message]));
    const sentBy = (chain) => chain.map((text) => ({ text, stored: places.get(text) ?? null }));
    this.#evidence = { pages, senders: this.#written.chains.map(sentBy) };
    return null;
  }

  /** Where storage is blocked or was cleared tabs know nothing of each other. */
  #isAlone() {
    return this.#device.tokens.size > 1;
  }
}
