// One's own words for what the relay says by itself. The card with the new ones arrives as a push.

import type { AutoReplyTexts } from "../../../shared/bindings/AutoReplyTexts";
import { call, type Problem, problemOf } from "../host";

/** Keeps them; the answer is the problem, if any. */
export async function setAutoReplies(texts: AutoReplyTexts): Promise<Problem | null> {
  try {
    await call("set_auto_replies", { texts });
    return null;
  } catch (error) {
    return problemOf(error);
  }
}
