// Who is signed in, and what that person does with the account. The state itself always comes from
// the core as a push; an action only asks and passes on a refusal.

import { create } from "zustand";
import type { Availability } from "../../../shared/bindings/Availability";
import type { OwnCard } from "../../../shared/bindings/OwnCard";
import type { Remember } from "../../../shared/bindings/ui/Remember";
import type { Session } from "../../../shared/bindings/ui/Session";
import { type Problem, problemOf, request } from "../host";
import { flushDrafts } from "./drafts";
import { report } from "./notices";

export { onAwayAsked } from "../host";

interface SessionStore {
  /** `null` until the core answered for the first time. */
  session: Session | null;
}

/** Who is signed in. */
export const useSession = create<SessionStore>(() => ({ session: null }));

/** The core said who is signed in. */
export function applySession(session: Session): void {
  useSession.setState({ session });
}

/** The core sent the own card anew. */
export function applyOwn(own: OwnCard): void {
  const { session } = useSession.getState();
  if (session?.kind === "signed_in") useSession.setState({ session: { ...session, own } });
}

/** Whose session it is; `null` for nobody's. */
export function accountOf(session: Session | null): string | null {
  return session?.kind === "signed_in" ? `${session.server} ${session.own.id}` : null;
}

/** Calls when another account is signed in, or none: nothing of the one before may stay. */
export function onAccountChange(forget: () => void): void {
  useSession.subscribe(({ session }, { session: before }) => {
    if (accountOf(session) !== accountOf(before)) forget();
  });
}

/** The own card, while someone is signed in. */
export function useOwn(): OwnCard | null {
  return useSession(({ session }) => (session?.kind === "signed_in" ? session.own : null));
}

/** What a sign-in needs. */
export interface SignIn {
  server: string;
  account: string;
  password: string;
  remember: Remember;
  allow_plain_http: boolean;
}

/** Signs in; the answer is the problem, if any. */
export async function signIn(form: SignIn): Promise<Problem | null> {
  try {
    await request("sign_in", form);
    return null;
  } catch (error) {
    return problemOf(error);
  }
}

/** Signs out; drafts are kept first. */
export async function signOut(): Promise<void> {
  await flushDrafts();
  try {
    await request("sign_out", {});
  } catch (error) {
    report(problemOf(error));
  }
}

/** The password kept for the sign-in form is kept no longer. */
export async function forgetPassword(): Promise<void> {
  try {
    await request("forget_password", {});
  } catch (error) {
    report(problemOf(error));
  }
}

/** Changes the own password; the answer is the problem, if any. */
export async function changePassword(before: string, after: string): Promise<Problem | null> {
  try {
    await request("change_password", { old: before, new: after });
    return null;
  } catch (error) {
    return problemOf(error);
  }
}

/** 在线, 忙碌 or 离开; with the last, running conversations are ended, or handed over (B11). */
export async function setAvailability(availability: Availability, handOver = false): Promise<void> {
  try {
    await request("set_availability", { availability, hand_over: handOver });
  } catch (error) {
    report(problemOf(error));
  }
}

const SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i;
const LOOPBACK = /^(localhost|[^/:]+\.localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?(\/|$)/i;

/** The address as it is tried: people type `chat.example.com`, which means https. */
export function serverAddress(typed: string): string {
  const server = typed.trim();
  if (server === "" || SCHEME.test(server)) return server;
  return `${LOOPBACK.test(server) ? "http" : "https"}://${server}`;
}

/** Whether an address would carry the password unencrypted over a network. */
export function isPlainHttp(typed: string): boolean {
  const server = serverAddress(typed);
  return /^http:\/\//i.test(server) && !LOOPBACK.test(server.replace(SCHEME, ""));
}
