// The only door to the client core. The workbench asks through `request` and hears through
// `listen`; which host stands behind it (the Tauri shell, the headless client's socket, a script in
// tests) is chosen once at the start. Nothing outside this folder knows how a request travels.

import type { Chat } from "../../../shared/bindings/ui/Chat";
import type { RelayAnswer } from "../../../shared/bindings/ui/RelayAnswer";
import type { RelayCall } from "../../../shared/bindings/ui/RelayCall";
import type { UiError } from "../../../shared/bindings/ui/UiError";
import type { UiErrorKind } from "../../../shared/bindings/ui/UiErrorKind";
import type { UiPush } from "../../../shared/bindings/ui/UiPush";
import type { UiReply } from "../../../shared/bindings/ui/UiReply";
import type { UiRequest } from "../../../shared/bindings/ui/UiRequest";
import type { UiState } from "../../../shared/bindings/ui/UiState";

/** How the way to the core itself stands. Under Tauri it is always `up`. */
export type HostLink = "connecting" | "up" | "lost" | "refused";

/** What a host can do. Deliberately no more: no files, no windows, no network. */
export interface Host {
  /** Starts hearing. Called once, before the first request. */
  listen(onPush: (push: UiPush) => void, onLink: (link: HostLink) => void): void;
  /** Asks the core; rejects with a {@link HostError}. */
  request(request: UiRequest): Promise<UiReply>;
}

/** Hears that 离开 was chosen outside of the window while conversations run: in the tray of the shell.
 * Gives the way to stop hearing. */
export function onAwayAsked(act: () => void): () => void {
  window.addEventListener("yingke:away", act);
  return () => window.removeEventListener("yingke:away", act);
}

/** Why a request was not carried out; `host_lost` is the only kind the core does not know. */
export interface Problem {
  kind: UiErrorKind | "host_lost";
  code: UiError["code"];
  retry_after_ms: number | null;
}

/** A {@link Problem} on its way through a promise. */
export class HostError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.code ?? problem.kind);
    this.name = "HostError";
    this.problem = problem;
  }
}

/** What went wrong, whatever was thrown. */
export function problemOf(thrown: unknown): Problem {
  if (thrown instanceof HostError) return thrown.problem;
  return { kind: "bug", code: null, retry_after_ms: null };
}

/** Reads a `UiError` from the outside; anything else is a bug of the client. */
export function hostErrorFrom(value: unknown): HostError {
  if (typeof value === "object" && value !== null && "kind" in value) {
    const error = value as UiError;
    return new HostError({
      kind: error.kind,
      code: error.code ?? null,
      retry_after_ms: error.retry_after_ms ?? null,
    });
  }
  return new HostError({ kind: "bug", code: null, retry_after_ms: null });
}

type RequestType = UiRequest["type"];
type BodyOf<T extends RequestType> = Extract<UiRequest, { type: T }>["body"];

/** What each request is answered with. */
interface Replies {
  get_state: UiState;
  open_conversation: Chat;
  load_earlier: Extract<UiReply, { type: "earlier" }>["body"];
  send_message: Extract<UiReply, { type: "queued" }>["body"];
  start_conversation: Extract<UiReply, { type: "started" }>["body"];
  close_all_left: Extract<UiReply, { type: "closed" }>["body"];
  call: Extract<UiReply, { type: "called" }>["body"];
}
type ReplyTo<T extends RequestType> = T extends keyof Replies ? Replies[T] : undefined;

const REPLY_TYPES: Record<keyof Replies, UiReply["type"]> = {
  get_state: "state",
  open_conversation: "chat",
  load_earlier: "earlier",
  send_message: "queued",
  start_conversation: "started",
  close_all_left: "closed",
  call: "called",
};

let installed: Host | null = null;

/** Puts a host behind the door. Once at the start; tests put a scripted one there. */
export function installHost(host: Host): void {
  installed = host;
}

/** Starts hearing the installed host. */
export function listen(onPush: (push: UiPush) => void, onLink: (link: HostLink) => void): void {
  installed?.listen(onPush, onLink);
}

/** Asks the core and unwraps the one reply that belongs to the request. */
export async function request<T extends RequestType>(
  type: T,
  body: BodyOf<T>,
): Promise<ReplyTo<T>> {
  if (installed === null) {
    throw new HostError({ kind: "host_lost", code: null, retry_after_ms: null });
  }
  const reply = await installed.request({ type, body } as UiRequest);
  const expected: string = (REPLY_TYPES as Partial<Record<RequestType, string>>)[type] ?? "done";
  if (reply.type !== expected) {
    throw new HostError({ kind: "bug", code: null, retry_after_ms: null });
  }
  return (expected === "done" ? undefined : reply.body) as ReplyTo<T>;
}

type CallType = RelayCall["type"];
type CallBody<T extends CallType> = Extract<RelayCall, { type: T }>["body"];

/** What each question to the relay is answered with; `done` carries nothing. */
interface Answers {
  get_settings: "settings";
  save_settings: "settings";
  list_agents: "agents";
  add_agent: "agent_added";
  change_agent: "done";
  add_site: "site_added";
  change_site: "done";
  dry_run: "dry_run";
  replay: "replay";
  assignments: "assignments";
  recent_contacts: "contacts";
  set_auto_replies: "done";
  audit: "audit";
}
type AnswerTo<T extends CallType> = Extract<RelayAnswer, { type: Answers[T] }>["body"];

const ANSWER_TYPES: Answers = {
  get_settings: "settings",
  save_settings: "settings",
  list_agents: "agents",
  add_agent: "agent_added",
  change_agent: "done",
  add_site: "site_added",
  change_site: "done",
  dry_run: "dry_run",
  replay: "replay",
  assignments: "assignments",
  recent_contacts: "contacts",
  set_auto_replies: "done",
  audit: "audit",
};

/** Asks the relay for something that is neither cached nor live, and unwraps its answer. */
export async function call<T extends CallType>(type: T, body: CallBody<T>): Promise<AnswerTo<T>> {
  const { answer } = await request("call", { call: { type, body } as RelayCall });
  if (answer.type !== ANSWER_TYPES[type]) {
    throw new HostError({ kind: "bug", code: null, retry_after_ms: null });
  }
  return answer.body as AnswerTo<T>;
}
