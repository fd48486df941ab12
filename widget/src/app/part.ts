// A part of the app that is fetched by itself, beside what every chat needs. It is tried until it is
// there: a network that was gone at that moment costs time and nothing else.

const AGAIN_MS = 1_000;
const AGAIN_MS_MAX = 30_000;
/** After so many failures a person may want to load the page again. */
const TRIES_BEFORE_DOUBT = 3;

/** See the head of this file. `load` is given how often it failed. */
export class Part<T> {
  value: T | null = null;
  #tries = 0;
  #timer = 0;
  #has_begun = false;
  readonly #load: (tries: number) => Promise<T>;
  readonly #listeners = new Set<() => void>();

  constructor(load: (tries: number) => Promise<T>) {
    this.#load = load;
  }

  /** Whether it may never come: the relay was upgraded, and its files have other names. */
  get is_in_doubt(): boolean {
    return this.value === null && this.#tries >= TRIES_BEFORE_DOUBT;
  }

  /** Is told when it is there, and when it comes in doubt; gives what ends that. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Fetches it, once, whoever asks. */
  ask(): void {
    if (this.#has_begun) return;
    this.#has_begun = true;
    addEventListener("online", () => {
      clearTimeout(this.#timer);
      if (this.#timer !== 0) void this.#fetch();
    });
    void this.#fetch();
  }

  async #fetch(): Promise<void> {
    this.#timer = 0;
    try {
      this.value = await this.#load(this.#tries);
    } catch {
      const most = Math.min(AGAIN_MS_MAX, AGAIN_MS * 2 ** this.#tries);
      this.#tries += 1;
      this.#timer = window.setTimeout(() => void this.#fetch(), most * (0.5 + Math.random() / 2));
    }
    for (const listener of this.#listeners) listener();
  }
}
