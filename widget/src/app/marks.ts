// Which marks of the visitor are due: "stored on this device" and "viewed", merged by maximum, at
// most one a second. Time is passed in.

import { mergeMarks } from "./apply";
import type { Marks, VisitorConversation } from "./protocol";

const GAP_MS = 1000;

/** A mark to send. */
export interface Mark extends Marks {
  conversation_id: string;
}

/** Remembers what was viewed and what was told. */
export class MarkPacer {
  #of = "";
  #viewed = 0;
  #told: Marks = { delivered: 0, read: 0 };
  #sent_at = Number.NEGATIVE_INFINITY;

  /** Messages up to here were in view. */
  view(conversation_id: string, seq: number): void {
    this.#turn(conversation_id);
    this.#viewed = Math.max(this.#viewed, seq);
  }

  /** How far the visitor has read here, counting what is not told yet. */
  read_of(conversation: VisitorConversation): number {
    const viewed = this.#of === conversation.id ? this.#viewed : 0;
    return Math.max(conversation.own_marks.read, viewed);
  }

  /** The link was lost, or a mark refused: what was not confirmed is told again. */
  forget(): void {
    this.#told = { delivered: 0, read: 0 };
  }

  /** When a mark should be sent for the conversation, or null. */
  due_at(conversation: VisitorConversation): number | null {
    return this.#wanted(conversation) === null ? null : this.#sent_at + GAP_MS;
  }

  /** The mark to send now, or null. */
  take(now: number, conversation: VisitorConversation): Mark | null {
    const wanted = this.#wanted(conversation);
    if (wanted === null || now < this.#sent_at + GAP_MS) return null;
    this.#told = wanted;
    this.#sent_at = now;
    return { conversation_id: conversation.id, ...wanted };
  }

  #turn(conversation_id: string): void {
    if (this.#of === conversation_id) return;
    this.#of = conversation_id;
    this.#viewed = 0;
    this.#told = { delivered: 0, read: 0 };
  }

  #wanted(conversation: VisitorConversation): Marks | null {
    this.#turn(conversation.id);
    const known = mergeMarks(conversation.own_marks, this.#told);
    const read = Math.min(this.#viewed, conversation.last_seq);
    const wanted = mergeMarks(known, { delivered: conversation.last_seq, read });
    return wanted.delivered > known.delivered || wanted.read > known.read ? wanted : null;
  }
}
