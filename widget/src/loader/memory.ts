// What the loader remembers in the host page's storage, under one key: the return ticket, and that
// a conversation is open, so that the next page connects by itself. Blocked storage is no trouble.

interface Remembered {
  ticket?: string;
  is_talking?: boolean;
}

export class Memory {
  readonly #key: string;

  constructor(site: string) {
    this.#key = `yingke:${site}`;
  }

  get(): Remembered {
    try {
      return JSON.parse(localStorage.getItem(this.#key) ?? "{}") as Remembered;
    } catch {
      return {};
    }
  }

  set(change: Remembered): void {
    try {
      localStorage.setItem(this.#key, JSON.stringify({ ...this.get(), ...change }));
    } catch {
      // Blocked: the visitor is new on each page at worst.
    }
  }
}
