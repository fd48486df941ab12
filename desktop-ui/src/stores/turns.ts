// Requests about one conversation in the order the person made them: each is asked when the one
// before it was answered. The way to the core does not promise an order by itself.

const last = new Map<string, Promise<unknown>>();

/** Asks when everything asked before about this conversation was answered, well or badly. */
export function inTurn<T>(conversationId: string, ask: () => Promise<T>): Promise<T> {
  const before = last.get(conversationId);
  const asked = before === undefined ? ask() : before.then(ask, ask);
  last.set(conversationId, asked);
  const over = () => {
    if (last.get(conversationId) === asked) last.delete(conversationId);
  };
  asked.then(over, over);
  return asked;
}
