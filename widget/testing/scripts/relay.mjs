// What the relay says of a visitor in the end, asked directly and with the protocol alone.

import { WebSocket } from "ws";

/** Asks with a visitor's token for everything held; ends the open conversation if told to. */
export function readVisitor(port, source, token, ends = false) {
  return new Promise((resolve, reject) => {
    const options = { localAddress: source, perMessageDeflate: false };
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws/visitor`, options);
    const hello = { id: "reader", type: "hello", body: { version: 1, token, resume: null } };
    const limit = setTimeout(() => socket.terminate(), 5_000);
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("the relay closed before its welcome")));
    socket.on("open", () => socket.send(JSON.stringify(hello)));
    socket.on("message", (frame) => {
      const said = JSON.parse(frame.toString());
      if (said.type !== "welcome") return;
      clearTimeout(limit);
      const { snapshot } = said.start;
      const { conversation } = snapshot;
      if (ends && conversation !== null && conversation.status.kind !== "ended") {
        const end = { id: "reader-end", type: "end_conversation", body: {} };
        socket.send(JSON.stringify(end));
      }
      resolve(snapshot);
      socket.close();
    });
  });
}
