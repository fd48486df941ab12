// Invitations to take a conversation over or to join it (F01-F03): those to the reader, and what one
// does with them and with one's own.

import { create } from "zustand";
import type { IncomingInvitation } from "../../../shared/bindings/IncomingInvitation";
import type { InvitationKind } from "../../../shared/bindings/InvitationKind";
import type { Invitee } from "../../../shared/bindings/Invitee";
import type { ChatHead } from "../../../shared/bindings/ui/ChatHead";
import { type Problem, problemOf, request } from "../host";
import { openConversation, useChat } from "./chat";
import { showModule } from "./modules";
import { report, warn } from "./notices";
import { useSession } from "./session";
import { showTab } from "./tabs";

interface InvitationsStore {
  /** Open ones to the reader, in the order they came. */
  incoming: readonly IncomingInvitation[];
  /** Those being answered. */
  answering: readonly string[];
}

/** Invitations to the reader. */
export const useInvitations = create<InvitationsStore>(() => ({ incoming: [], answering: [] }));

/** All of them anew. */
export function applyInvitations(incoming: readonly IncomingInvitation[]): void {
  useInvitations.setState({ incoming });
}

/** Accepts or declines; an accepted one is opened. */
export async function answerInvitation(
  { invitation }: IncomingInvitation,
  accept: boolean,
): Promise<void> {
  const { id } = invitation;
  if (useInvitations.getState().answering.includes(id)) return;
  useInvitations.setState(({ answering }) => ({ answering: [...answering, id] }));
  try {
    await request("answer_invitation", { invitation_id: id, accept });
    if (accept) {
      showModule("reception");
      showTab("running");
      await openConversation(invitation.conversation_id);
    }
  } catch (error) {
    const problem = problemOf(error);
    if (problem.code === "overtaken" || problem.code === "not_found") warn("transfer.over");
    else if (problem.code === "agent_unavailable") warn("transfer.away");
    else if (problem.code === "invalid") warn("transfer.too_many");
    else report(problem);
  } finally {
    useInvitations.setState(({ answering }) => ({
      answering: answering.filter((one) => one !== id),
    }));
  }
}

/** Asks somebody to take over or to join; the answer is the problem, if any. */
export async function invite(
  conversationId: string,
  to: Invitee,
  kind: InvitationKind,
  note: string,
): Promise<Problem | null> {
  try {
    await request("invite", { conversation_id: conversationId, to, kind, note });
    return null;
  } catch (error) {
    return problemOf(error);
  }
}

/** Taken back by this window: nobody has to be told. */
const withdrawn = new Set<string>();

/** Takes an own invitation back. */
export async function withdrawInvitation(invitationId: string): Promise<void> {
  withdrawn.add(invitationId);
  try {
    await request("withdraw_invitation", { invitation_id: invitationId });
  } catch (error) {
    withdrawn.delete(invitationId);
    const problem = problemOf(error);
    if (problem.code === "overtaken" || problem.code === "not_found") warn("transfer.over");
    else report(problem);
  }
}

/** What an acceptance changes comes right behind the end of its invitation; later nothing does. */
const SETTLED_AFTER_MS = 1_500;

/** Whether an invitation that is over brought somebody: the conversation changed hands or grew. */
function broughtSomebody(before: ChatHead, after: ChatHead): boolean {
  const isOurs = after.held && after.standing === before.standing;
  const same =
    before.status.kind === "serving" &&
    after.status.kind === "serving" &&
    before.status.agent_id === after.status.agent_id;
  return !isOurs || !same || after.members.some((id) => !before.members.includes(id));
}

/** An own invitation that nobody accepted comes back to who asked (F03), and that is said. */
useChat.subscribe((now, before) => {
  if (now.head === before.head || now.head === null || before.head === null) return;
  if (now.conversationId !== before.conversationId || now.phase !== "open") return;
  const { session } = useSession.getState();
  const ownId = session?.kind === "signed_in" ? session.own.id : null;
  const open = new Set(now.head.invitations.map((one) => one.id));
  const over = before.head.invitations.filter((one) => !open.has(one.id) && one.from === ownId);
  const returned = over.filter((one) => !withdrawn.delete(one.id));
  if (returned.length === 0) return;
  const { head: then, conversationId } = before;
  window.setTimeout(() => {
    const { head, conversationId: shown } = useChat.getState();
    if (shown === conversationId && head !== null && !broughtSomebody(then, head)) {
      warn("transfer.returned");
    }
  }, SETTLED_AFTER_MS);
});
