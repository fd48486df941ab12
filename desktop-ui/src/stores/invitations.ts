// Invitations to take a conversation over or to join it (F01-F03): those to the reader, and what one
// does with them and with one's own.

import { create } from "zustand";
import type { IncomingInvitation } from "../../../shared/bindings/IncomingInvitation";
import type { InvitationEnd } from "../../../shared/bindings/InvitationEnd";
import type { InvitationKind } from "../../../shared/bindings/InvitationKind";
import type { InvitationOver } from "../../../shared/bindings/InvitationOver";
import type { Invitee } from "../../../shared/bindings/Invitee";
import { type Problem, problemOf, request } from "../host";
import { openConversation } from "./chat";
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

/** Takes an own invitation back. */
export async function withdrawInvitation(invitationId: string): Promise<void> {
  try {
    await request("withdraw_invitation", { invitation_id: invitationId });
  } catch (error) {
    const problem = problemOf(error);
    if (problem.code === "overtaken" || problem.code === "not_found") warn("transfer.over");
    else report(problem);
  }
}

/** An invitation that nobody took: the conversation is where it was. */
const CAME_BACK: readonly InvitationEnd[] = [
  "declined",
  "expired",
  "agent_unavailable",
  "nobody_free",
];

/** An own invitation that nobody accepted comes back to who asked (F03), and that is said. */
export function applyInvitationOver({ invitation, why }: InvitationOver): void {
  const { session } = useSession.getState();
  const ownId = session?.kind === "signed_in" ? session.own.id : null;
  if (invitation.from === ownId && CAME_BACK.includes(why)) warn("transfer.returned");
}
