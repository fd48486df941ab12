// When a typing preview is sent: at once if the last one is long enough ago, else at the end of the
// gap with whatever the text is by then. Time is passed in.

import { previewOf } from "./mask";
import { PREVIEW_AGAIN_MS, PREVIEW_GAP_MS } from "./protocol";

/** Paces previews; what an agent sees always ends equal to what stands in the composer. */
export class PreviewPacer {
  #draft = "";
  #shown: string | null = "";
  #sent_at = Number.NEGATIVE_INFINITY;
  #again_at: number | null = null;

  /** The composer's text changed. */
  type(draft: string): void {
    this.#draft = previewOf(draft);
  }

  /** A new reader, or none: whatever was shown is forgotten. */
  forget(): void {
    this.#shown = "";
    this.#again_at = null;
  }

  /** A new link. After a relay's restart the agent's may take a moment longer: what is being typed is
   * then said once more. */
  linked(now: number): void {
    this.#again_at = now + PREVIEW_AGAIN_MS;
  }

  /** The last one was refused: nobody knows what is shown. */
  refuse(): void {
    this.#shown = null;
  }

  /** When something should be sent, or null. */
  due_at(): number | null {
    if (this.#draft !== this.#shown) return this.#sent_at + PREVIEW_GAP_MS;
    return this.#draft === "" ? null : this.#again_at;
  }

  /** The text to send now, or null. */
  take(now: number): string | null {
    const due = this.due_at();
    if (due === null || now < due) return null;
    this.#shown = this.#draft;
    this.#sent_at = now;
    if (this.#again_at !== null && now >= this.#again_at) this.#again_at = null;
    return this.#draft;
  }
}
