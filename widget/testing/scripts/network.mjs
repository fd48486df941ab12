// The visitor's network: a TCP proxy to the relay that can be up, down (everything is reset), or
// mute (what is said arrives, what is answered does not). Each script has one, seen by the relay as
// another of this computer's addresses.

import { connect, createServer } from "node:net";

/** See the head of this file. */
export class Network {
  #mode = "up";
  #pairs = new Set();
  #server;
  port = 0;

  static async to(port, source) {
    const network = new Network();
    network.#server = createServer((near) => network.#carry(near, port, source));
    await new Promise((done) => network.#server.listen(0, "127.0.0.1", done));
    network.port = network.#server.address().port;
    return network;
  }

  #carry(near, port, source) {
    // Whatever happens to either end shows as its closing.
    near.on("error", () => {});
    if (this.#mode === "down") return near.resetAndDestroy();
    const far = connect({ port, host: "127.0.0.1", localAddress: source });
    far.on("error", () => {});
    const pair = { near, far };
    this.#pairs.add(pair);
    near.on("data", (piece) => far.write(piece));
    far.on("data", (piece) => {
      if (this.#mode !== "mute") near.write(piece);
    });
    const over = () => {
      this.#pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    near.on("close", over);
    far.on("close", over);
  }

  /** Whether a page could be fetched. */
  get is_good() {
    return this.#mode === "up";
  }

  /** Everything there is breaks; nothing new begins. */
  down() {
    this.#mode = "down";
    this.cut();
  }

  /** Questions pass, answers are lost. */
  mute() {
    this.#mode = "mute";
  }

  /** Good again. Connections that lost an answer are broken: TCP would not go on past a hole. */
  up() {
    if (this.#mode === "mute") this.cut();
    this.#mode = "up";
  }

  /** Everything there is breaks. */
  cut() {
    for (const { near, far } of this.#pairs) {
      near.resetAndDestroy();
      far.destroy();
    }
  }

  close() {
    this.cut();
    this.#server.close();
  }
}
