// Random scripts of what a visitor does, against a real relay; see script.mjs for what must hold.
// Started by the end-to-end tests (tests/it/widget_scripts.rs), which own the relay and the agents:
// lines of JSON go out, an answer or a restart wanted among them; what comes back is a line for each
// `settle` and each `judge`.
//
//   node run.mjs '{"port": …, "site": …, "first": 1, "count": 75, "at_once": 75, "kind": "modules"}'

import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { chanceOf } from "./chance.mjs";
import { Chromium } from "./chromium.mjs";
import { compile, Device } from "./device.mjs";
import { Network } from "./network.mjs";
import { Scenario } from "./script.mjs";

const wish = JSON.parse(process.argv[2]);
/** How often a browser is killed. */
const DEATHS = 2;
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

function tell(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

const heard = new Map();
createInterface({ input: process.stdin }).on("line", (line) => {
  const { seed, verdict } = JSON.parse(line);
  heard.get(seed)?.({ verdict });
});

/** Tells something that is answered. */
function hear(seed, what) {
  return new Promise((resolve) => {
    heard.set(seed, resolve);
    tell({ seed, ask: what });
  });
}

/** Limits for each address hold for each script. */
function addressOf(seed) {
  return `127.${20 + (Math.floor(seed / 62_500) % 200)}.${Math.floor(seed / 250) % 250}.${1 + (seed % 250)}`;
}

/** One script with all that is its own. */
class Part {
  is_over = false;

  static async of(seed, makeDevice) {
    const part = new Part();
    const source = addressOf(seed);
    part.network = await Network.to(wish.port, source);
    const ask = (what) => tell({ seed, ask: what });
    const parts = { port: wish.port, source, ask, hear: (what) => hear(seed, what) };
    part.seed = seed;
    part.device = await makeDevice(part.network);
    part.scenario = new Scenario(parts, part.device, part.network, seed);
    return part;
  }

  /** Does something of the script, unless it has failed. */
  async does(work) {
    if (this.is_over) return;
    try {
      await work(this.scenario, this.device);
    } catch (thrown) {
      this.is_over = true;
      const failed = `${thrown.message}\n${this.scenario.steps.join(", ")}`;
      tell({ seed: this.seed, failed });
    }
  }

  async close() {
    await this.device.close();
    this.network.close();
  }
}

async function play(seed, makeDevice) {
  const part = await Part.of(seed, makeDevice);
  await part.does(async (scenario) => tell({ seed, done: await scenario.run() }));
  await part.close();
}

/** Scripts in one browser, with a profile that stays, that is killed under all of them. */
async function playTogether(first, count) {
  const folder = `${wish.folder}/${first}`;
  const chance = chanceOf(first);
  let browser = await Chromium.start(wish.chromium, folder);
  const seeds = Array.from({ length: count }, (_, at) => first + at);
  const makeDevice = (network) => browser.resident(network, wish.site);
  const parts = await Promise.all(seeds.map((seed) => Part.of(seed, makeDevice)));
  const all = (work) => Promise.all(parts.map((part) => part.does(work)));
  for (let death = 0; death < DEATHS; death += 1) {
    const life = parts.map((part, at) => {
      const count = 3 + chance.below(5);
      return part.does(async (scenario) => {
        if (death === 0) await scenario.begin();
        // One of them knows what must be there after the first death, whatever the others do.
        await (death === 0 && at === 0 ? scenario.lastWill() : scenario.live(count));
      });
    });
    await Promise.all(life);
    const stored = new Map();
    await all(async (scenario) => stored.set(scenario, await scenario.lastWords()));
    await new Promise((done) => setTimeout(done, chance.below(100)));
    await browser.kill();
    browser = await Chromium.start(wish.chromium, folder);
    await all(async (scenario, device) => {
      await scenario.revive(() => device.revive(browser), stored.get(scenario));
    });
  }
  await Promise.all(
    parts.map((part) =>
      part.does(async (scenario) => tell({ seed: part.seed, done: await scenario.end() })),
    ),
  );
  await Promise.all(parts.map((part) => part.close()));
  await browser.close();
}

async function playAll(makeDevice) {
  let next = wish.first;
  const worker = async () => {
    while (next < wish.first + wish.count) {
      const seed = next;
      next += 1;
      await play(seed, makeDevice);
    }
  };
  await Promise.all(Array.from({ length: wish.at_once }, worker));
}

if (wish.kind === "modules") {
  const script = await compile(ROOT);
  const linesOf = (box, state) => JSON.parse(box.shown(state));
  await playAll((network) => new Device({ script, network, site: wish.site, linesOf }));
} else if (wish.kind === "killed") {
  const end = wish.first + wish.count;
  for (let first = wish.first; first < end; first += wish.at_once) {
    await playTogether(first, Math.min(wish.at_once, end - first));
  }
} else {
  const browser = await Chromium.start(wish.chromium, wish.folder);
  await playAll((network) => browser.device(network, wish.site));
  await browser.close();
}
process.exit(0);
