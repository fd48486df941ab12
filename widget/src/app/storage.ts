// The browser's storage for this site, behind one door. Where it is blocked or full, values live in
// memory for as long as the page does, and `isDurable` says so: the outbox then marks what would be
// lost. Keys are kept apart by site; an outbox item has a key of its own.

import { NO_ASKS, type OutboxItem, type OutboxStorage } from "./outbox";

type Listener = (key: string, value: string | null) => void;

const OUTBOX = "out:";

/** See the head of this file. */
export class SiteStorage implements OutboxStorage {
  readonly #head: string;
  readonly #disk: Storage | null;
  readonly #memory = new Map<string, string>();

  constructor(site: string, disk: Storage | null) {
    this.#head = `yingke:${site}:`;
    this.#disk = disk;
  }

  /** Whether values survive a reload, as far as is known. */
  get is_durable(): boolean {
    return this.#disk !== null;
  }

  get(key: string): string | null {
    const kept = this.#memory.get(key);
    if (kept !== undefined) return kept;
    try {
      return this.#disk?.getItem(this.#head + key) ?? null;
    } catch {
      return null;
    }
  }

  /** Whether the disk, which other tabs read too, has exactly this. */
  holds(key: string, value: string | null): boolean {
    try {
      return this.#disk !== null && this.#disk.getItem(this.#head + key) === value;
    } catch {
      return false;
    }
  }

  /** Keeps a value; says whether it is on the disk. */
  set(key: string, value: string): boolean {
    try {
      if (this.#disk !== null) {
        this.#disk.setItem(this.#head + key, value);
        this.#memory.delete(key);
        return true;
      }
    } catch {
      // Full, or switched off in the meantime: memory takes it.
    }
    this.#memory.set(key, value);
    return false;
  }

  remove(key: string): void {
    this.#memory.delete(key);
    try {
      this.#disk?.removeItem(this.#head + key);
    } catch {
      // Nothing was kept there.
    }
  }

  save(item: OutboxItem): boolean {
    const { state } = item;
    const kept = state.kind === "sending" ? { ...item, state: { kind: "queued" } } : item;
    return this.set(OUTBOX + item.client_id, JSON.stringify(kept));
  }

  drop(client_id: string): void {
    this.remove(OUTBOX + client_id);
  }

  /** Every item of the outbox that an earlier page or another tab left. */
  items(): OutboxItem[] {
    const found: OutboxItem[] = [];
    try {
      const disk = this.#disk;
      for (let at = 0; disk !== null && at < disk.length; at += 1) {
        const key = disk.key(at);
        if (!key?.startsWith(this.#head + OUTBOX)) continue;
        const item = readItem(disk.getItem(key));
        if (item !== null) found.push(item);
      }
    } catch {
      return found;
    }
    return found;
  }

  /** Tells what other tabs write. */
  listen(window: Window, listener: Listener): void {
    window.addEventListener("storage", (event) => {
      if (event.storageArea !== this.#disk || !event.key?.startsWith(this.#head)) return;
      listener(event.key.slice(this.#head.length), event.newValue);
    });
  }
}

/** The id of the outbox item that a key belongs to, or null. */
export function itemOfKey(key: string): string | null {
  return key.startsWith(OUTBOX) ? key.slice(OUTBOX.length) : null;
}

/** An item as it was saved, or null if it is not one. */
export function readItem(text: string | null): OutboxItem | null {
  if (text === null) return null;
  try {
    const item = JSON.parse(text) as OutboxItem;
    const fits =
      typeof item.client_id === "string" &&
      typeof item.text === "string" &&
      typeof item.at === "number" &&
      typeof item.order === "number" &&
      typeof item.state.kind === "string";
    // Kept by an earlier version: it does not say everything.
    const is_leave = typeof item.leave?.name === "string" && typeof item.leave.contact === "string";
    const leave = is_leave ? item.leave : null;
    const asks = typeof item.asks?.category === "string" ? item.asks : NO_ASKS;
    return fits ? { ...item, visitor: item.visitor ?? null, leave, asks } : null;
  } catch {
    return null;
  }
}

/** The disk, if this document may use it. Being there is not enough: some browsers refuse writes. */
export function openDisk(window: Window): Storage | null {
  const probe = "yingke:probe";
  try {
    const disk = window.localStorage;
    disk.setItem(probe, "1");
    disk.removeItem(probe);
    return disk;
  } catch {
    return null;
  }
}
