// Where everything the core says enters the stores, in the order it was said. The one place that
// knows all stores; no store knows this file.

import type { UiPush } from "../../../shared/bindings/ui/UiPush";
import type { UiState } from "../../../shared/bindings/ui/UiState";
import { type HostLink, listen, request } from "../host";
import { applyAlerts } from "./alerts";
import { applyAttention, resetAttention } from "./attention";
import { applyChat, applyChatPreview, reopenConversation, resetChat } from "./chat";
import { applyColleague, replaceColleagues } from "./colleagues";
import { applyCompanions, resetCompanions } from "./companions";
import { applyCompany, applySites } from "./company";
import { applyConnection, applyHostLink } from "./connection";
import { resetContacts } from "./contacts";
import { flushDrafts, resetDrafts } from "./drafts";
import { applyFloor, resetFloor, rewatchFloor } from "./floor";
import { applyInbox, applyRowPreview, replaceInbox } from "./inbox";
import { applyInvitationOver, applyInvitations } from "./invitations";
import { resetModule } from "./modules";
import { applyPreferences, flushPreferences } from "./preferences";
import { applyQueueLength } from "./queue";
import { accountOf, applyOwn, applySession, useSession } from "./session";
import { resetTab } from "./tabs";
import { resetWatching } from "./watch";
import { resetWhispers } from "./whispers";

/** Draws everything from this. */
export function applyState(state: UiState): void {
  const before = accountOf(useSession.getState().session);
  const after = accountOf(state.session);
  if (before !== after) {
    resetChat();
    resetDrafts();
    resetWhispers();
    resetWatching();
    resetCompanions();
    resetContacts();
    resetFloor();
    resetAttention();
    resetTab();
    resetModule();
  }
  applyPreferences(state.preferences);
  applyConnection(state.connection);
  replaceColleagues(state.colleagues);
  applyCompany(state.company);
  applySites(state.sites);
  applyInvitations(state.invitations);
  applyAlerts(state.alerts);
  applyQueueLength(state.queue_length);
  replaceInbox(state.inbox);
  applySession(state.session);
  if (before === after) {
    // First what is on screen: the answer to the second brings the drafts as the core has them.
    void flushDrafts();
    void reopenConversation();
  }
  rewatchFloor();
}

/** Applies one push. */
export function applyPush(push: UiPush): void {
  switch (push.type) {
    case "state":
      applyState(push.body);
      break;
    case "connection":
      applyConnection(push.body);
      break;
    case "own":
      applyOwn(push.body);
      break;
    case "colleague":
      applyColleague(push.body);
      break;
    case "inbox":
      applyInbox(push.body.upsert, push.body.removed);
      break;
    case "chat":
      applyChat(
        push.body.conversation_id,
        push.body.head,
        push.body.messages,
        push.body.notes,
        push.body.outbox,
      );
      break;
    case "company":
      applyCompany(push.body);
      break;
    case "sites":
      applySites(push.body.sites);
      break;
    case "floor":
      applyFloor(push.body);
      break;
    case "invitations":
      applyInvitations(push.body.invitations);
      break;
    case "invitation_over":
      applyInvitationOver(push.body);
      break;
    case "alerts":
      applyAlerts(push.body.alerts);
      break;
    case "queue_length":
      applyQueueLength(push.body.waiting);
      break;
    case "colleagues":
      applyCompanions(push.body.conversation_id, push.body.reading, push.body.typing);
      break;
    case "attention":
      applyAttention(push.body.kind, push.body.level, push.body.sound);
      break;
    case "preview":
      applyRowPreview(push.body.conversation_id, push.body.text);
      applyChatPreview(push.body.conversation_id, push.body.text);
      break;
  }
}

async function onHostLink(link: HostLink): Promise<void> {
  applyHostLink(link);
  if (link !== "up") return;
  try {
    applyState(await request("get_state", {}));
  } catch {
    // The link broke again; the next `up` asks anew.
  }
}

/** Starts hearing the core; every time the way to it is open, everything is read anew. */
export function start(): void {
  window.addEventListener("pagehide", flushPreferences);
  listen(applyPush, (link) => void onHostLink(link));
}
