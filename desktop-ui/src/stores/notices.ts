// Short notices in the corner: what failed, that it is safe, what to do. They carry keys and
// problems, never words, so that they follow the language; they leave by themselves.

import { create } from "zustand";
import type { Problem } from "../host";
import type { TextKey, TextValues } from "../i18n";

/** How long a notice stays, in milliseconds: about twice the time its longest text takes to read. */
const SHOWN_MS = 8_000;
/** More than this many at once would hide the work; the oldest leave. */
const NOTICES_MAX = 3;

/** One notice. */
export interface Notice {
  id: number;
  tone: "ok" | "danger";
  text: TextKey | null;
  /** Filled into the text. */
  values: TextValues;
  problem: Problem | null;
}

interface NoticesStore {
  notices: Notice[];
}

/** What is shown in the corner. */
export const useNotices = create<NoticesStore>(() => ({ notices: [] }));

let nextId = 1;

function show(notice: Omit<Notice, "id">) {
  const id = nextId++;
  useNotices.setState(({ notices }) => ({
    notices: [...notices, { ...notice, id }].slice(-NOTICES_MAX),
  }));
  window.setTimeout(() => dismiss(id), SHOWN_MS);
}

/** Says that something a person asked for was not carried out, optionally what that means. */
export function report(problem: Problem, text: TextKey | null = null): void {
  show({ tone: "danger", text, values: {}, problem });
}

/** Says that something stays as it was, and what. */
export function warn(text: TextKey, values: TextValues = {}): void {
  show({ tone: "danger", text, values, problem: null });
}

/** Says that something was carried out. */
export function confirm(text: TextKey, values: TextValues = {}): void {
  show({ tone: "ok", text, values, problem: null });
}

/** Takes a notice away. */
export function dismiss(id: number): void {
  useNotices.setState(({ notices }) => ({ notices: notices.filter((one) => one.id !== id) }));
}
