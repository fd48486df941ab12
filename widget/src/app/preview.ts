// When a typing preview is sent: at once if the last one is long enough ago, else at the end of the
// gap with whatever the text is by then. Time is passed in.

import { previewOf } from "./mask";
import { PREVIEW_GAP_MS } from "./protocol";

/** Paces previews; what an agent sees always ends equal to what stands in the composer. */
export class PreviewPacer {
  #draft = "";
  #shown: string | null = "";
  #sent_at = Number.NEGATIVE_INFINITY;

  /** The composer's text changed. */
  type(draft: string): void {
    this.#draft = previewOf(draft);
  }

  /** A new reader, or none: whatever was shown is forgotten. */
  forget(): void {
    this.#shown = "";
  }

  /** The last one was refused: nobody knows what is shown. */
  refuse(): void {
    this.#shown = null;
  }

  /** When something should be sent, or null. */
  due_at(): number | null {
    return this.#draft === this.#shown ? null : this.#sent_at + PREVIEW_GAP_MS;
  }

  /** The text to send now, or null. */
  take(now: number): string | null {
    const due = this.due_at();
    if (due === null || now < due) return null;
    this.#shown = this.#draft;
    this.#sent_at = now;
    return this.#draft;
  }
}
