// A line of the system: who came, who left, why it ended.

import { Text } from "./bubble";
import { useTools } from "./context";
import type { TextKey, Translate } from "./i18n";
import type { AutoReply, EndedBy, SystemNotice, VisitorPrompts } from "./protocol";
import { companyWords } from "./words";

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

/** A line of the system; one that only a newer widget understands keeps its place and says nothing. */
export function Notice(props: { notice: SystemNotice; agent: string | null; attributes: object }) {
  const { t, client } = useTools();
  const { notice, attributes } = props;
  const words = noticeWords(notice, props.agent, client.state.held?.site.prompts, t);
  if (words === null) return <p class="gap" {...attributes} />;
  const is_auto = notice.kind === "auto_reply";
  return (
    <p class={is_auto ? "system auto" : "system"} data-notice={notice.kind} {...attributes}>
      {is_auto && <b>{t("auto_reply")}</b>}
      <Text text={words} />
    </p>
  );
}
