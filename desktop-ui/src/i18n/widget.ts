// The visitor window's own words, where the company's may stand instead: shown beside the company's,
// so that an admin knows what is said when nothing is written.

import type { AutoReplyTexts } from "../../../shared/bindings/AutoReplyTexts";
import type { VisitorPrompts } from "../../../shared/bindings/VisitorPrompts";
import { widget as widgetEn } from "../../../shared/i18n/en.json";
import { widget as widgetZh } from "../../../shared/i18n/zh-CN.json";
import type { Locale } from ".";

type State = keyof VisitorPrompts | keyof AutoReplyTexts;

const KEYS = {
  waiting: "line_routing",
  queued: "prompt_all_full",
  nobody_online: "leave_nobody",
  closed: "leave_closed",
  agent_joined: "notice_agent_joined",
  agent_changed: "notice_transferred",
  agent_ended: "notice_ended_agent",
  timed_out: "notice_ended_visitor_silent",
  agent_away: "notice_ended_agent_away",
  reconnecting: "line_connecting",
  offline: "line_offline",
  message_left: "left",
  ask_visitor: "auto_ask_visitor",
  warn_visitor: "auto_warn_visitor",
  explain_delay: "auto_explain_delay",
} as const satisfies Record<State, keyof typeof widgetZh>;

/** What the window says of a state by itself; the agent's name stands as `{agent}`. */
export function windowWords(locale: Locale, state: State): string {
  const text = (locale === "en" ? widgetEn : widgetZh)[KEYS[state]];
  return text.replace("{name}", "{agent}");
}
