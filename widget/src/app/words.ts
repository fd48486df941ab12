// The words for each state: the company's where it set some (A15), else the widget's own. Pure.

import { fill, type TextKey, type Translate } from "./i18n";
import type { AutoReply, EndedBy, SystemNotice, VisitorPrompts } from "./protocol";

/** What the gaps of the company's words stand for, as far as it is known. */
export interface Gaps {
  place?: number | undefined;
  wait?: string | null;
  agent?: string | null;
}

/** The company's words, or null if it set none or they speak of a place that is not known. */
export function companyWords(text: string | undefined, gaps: Gaps, t: Translate): string | null {
  if (!text?.trim()) return null;
  if (gaps.place === undefined && text.includes("{place}")) return null;
  return fill(text, {
    place: gaps.place ?? "",
    wait: gaps.wait ?? t("wait_unknown"),
    agent: gaps.agent ?? t("agent"),
  });
}

/** An expected wait in whole minutes, later hours; null if nothing is known. */
export function waitWords(ms: number | null, t: Translate): string | null {
  if (ms === null || ms < 0) return null;
  const minutes = Math.max(1, Math.ceil(ms / 60_000));
  return minutes <= 90
    ? t("wait_minutes", { count: minutes })
    : t("wait_hours", { count: Math.round(minutes / 60) });
}

type Ended = [TextKey, (keyof VisitorPrompts)?];

const ENDED = new Map<EndedBy, Ended>([
  ["visitor", ["notice_ended_visitor"]],
  ["agent", ["notice_ended_agent", "agent_ended"]],
  ["agent_away", ["notice_ended_agent_away", "agent_away"]],
  ["visitor_silent", ["notice_ended_visitor_silent", "timed_out"]],
  ["left_queue", ["notice_ended_left_queue"]],
  // What the company says of it stands on the card below, while it is news.
  ["leave_message", ["notice_ended_leave_message"]],
]);

const AUTO = new Map<AutoReply, TextKey>([
  ["ask_visitor", "auto_ask_visitor"],
  ["warn_visitor", "auto_warn_visitor"],
  ["explain_delay", "auto_explain_delay"],
]);

/** What a line of the system says; null for one of a newer relay. `agent` spoke or came last. */
export function noticeWords(
  notice: SystemNotice,
  agent: string | null,
  prompts: VisitorPrompts | undefined,
  t: Translate,
): string | null {
  const own = (text: string | undefined, name: string | null) =>
    companyWords(text, { agent: name }, t);
  switch (notice.kind) {
    case "agent_joined": {
      const name = notice.agent.nickname;
      return own(prompts?.agent_joined, name) ?? t("notice_agent_joined", { name });
    }
    case "transferred": {
      const name = notice.agent.nickname;
      return own(prompts?.agent_changed, name) ?? t("notice_transferred", { name });
    }
    case "member_joined":
    case "member_left":
      return t(`notice_${notice.kind}`, { name: notice.agent.nickname });
    case "requeued":
      return t(notice.why === "no_answer" ? "notice_requeued_no_answer" : "notice_requeued");
    case "auto_reply": {
      const key = AUTO.get(notice.reply);
      return notice.text.trim() || (key === undefined ? null : t(key));
    }
    case "ended": {
      const [key, prompt]: Ended = ENDED.get(notice.by) ?? ["line_ended"];
      return own(prompt && prompts?.[prompt], agent) ?? t(key);
    }
    default:
      return null;
  }
}
