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
/** When each leaves; none leaves while they are being read. */
const leaving = new Map<number, number>();
let held = false;

function leaveLater(id: number) {
  leaving.set(
    id,
    window.setTimeout(() => dismiss(id), SHOWN_MS),
  );
}

function show(notice: Omit<Notice, "id">) {
  const id = nextId++;
  useNotices.setState(({ notices }) => ({
    notices: [...notices, { ...notice, id }].slice(-NOTICES_MAX),
  }));
  if (!held) leaveLater(id);
}

/** The pointer or the keyboard is at them, or no longer: they stay as long, and then a while. */
export function holdNotices(on: boolean): void {
  held = on;
  for (const timer of leaving.values()) window.clearTimeout(timer);
  leaving.clear();
  if (!on) for (const { id } of useNotices.getState().notices) leaveLater(id);
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
  window.clearTimeout(leaving.get(id));
  leaving.delete(id);
  useNotices.setState(({ notices }) => ({ notices: notices.filter((one) => one.id !== id) }));
  // Nothing is left to be read.
  if (useNotices.getState().notices.length === 0) held = false;
}
