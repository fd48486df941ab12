// Random scripts of what a visitor does, against a real relay; see script.mjs for what must hold.
// Started by the end-to-end tests (tests/it/widget_scripts.rs), which own the relay and the agents:
// lines of JSON go out, an answer or a restart wanted among them; nothing comes back but messages.
//
//   node run.mjs '{"port": …, "site": …, "first": 1, "count": 75, "at_once": 75, "kind": "modules"}'

import { fileURLToPath } from "node:url";
import { Chromium } from "./chromium.mjs";
import { compile, Device } from "./device.mjs";
import { Network } from "./network.mjs";
import { Scenario } from "./script.mjs";

const wish = JSON.parse(process.argv[2]);
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

function tell(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

/** Limits for each address hold for each script. */
function addressOf(seed) {
  return `127.${20 + (Math.floor(seed / 62_500) % 200)}.${Math.floor(seed / 250) % 250}.${1 + (seed % 250)}`;
}

async function play(seed, makeDevice) {
  const source = addressOf(seed);
  const network = await Network.to(wish.port, source);
  const parts = { port: wish.port, source, ask: (what) => tell({ seed, ...what }) };
  const device = await makeDevice(network);
  const scenario = new Scenario(parts, device, network, seed);
  try {
    const done = await scenario.run();
    tell({ seed, done });
  } catch (thrown) {
    tell({ seed, failed: `${thrown.message}\n${scenario.steps.join(", ")}` });
  } finally {
    await device.close();
    network.close();
  }
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
} else {
  const browser = await Chromium.start(wish.chromium, wish.folder);
  await playAll((network) => browser.device(network, wish.site));
  await browser.close();
}
process.exit(0);
