// Words for values of the contract: what went wrong, what the system wrote, who a visitor is.

import type { Message } from "../../../shared/bindings/Message";
import type { SystemNotice } from "../../../shared/bindings/SystemNotice";
import type { VisitorCard } from "../../../shared/bindings/VisitorCard";
import type { Problem } from "../host";
import type { TextKey, Translate } from ".";

/** What happened and what to do, for a request that was not carried out. */
export function problemText(t: Translate, problem: Problem): string {
  const seconds = Math.max(1, Math.ceil((problem.retry_after_ms ?? 0) / 1_000));
  if (problem.code === "too_fast" && problem.retry_after_ms !== null) {
    return t("error.too_fast_wait", { count: seconds });
  }
  const key: TextKey =
    problem.code === null ? `error.kind_${problem.kind}` : `error.${problem.code}`;
  return t(key);
}

/** 访客 3F2A */
export function visitorName(t: Translate, visitor: VisitorCard): string {
  return t("common.visitor_name", { label: visitor.label });
}

/** The line of a system message. */
function noticeText(t: Translate, notice: SystemNotice): string {
  switch (notice.kind) {
    case "welcome":
      return notice.text === ""
        ? t("workbench.notice_opened")
        : t("workbench.notice_welcome", { text: notice.text });
    case "agent_joined":
    case "transferred":
    case "member_joined":
    case "member_left":
      return t(`workbench.notice_${notice.kind}`, { name: notice.agent.nickname });
    case "requeued":
      return t(`workbench.notice_requeued_${notice.why}`);
    case "auto_reply":
      return notice.text === ""
        ? t(`workbench.notice_auto_${notice.reply}`)
        : t("workbench.notice_auto_reply", { text: notice.text });
    case "ended":
      return t(
        notice.by === "agent" ? "workbench.notice_ended" : `workbench.notice_ended_by_${notice.by}`,
      );
    default:
      return t("workbench.message_unknown");
  }
}

/** A message in one line. */
export function lineOf(t: Translate, message: Message): string {
  switch (message.content.kind) {
    case "text":
      return message.content.text.replace(/\s+/g, " ");
    case "notice":
      return noticeText(t, message.content.notice);
    default:
      return t("workbench.message_unknown");
  }
}

/** A department's name; the one every company begins with has none of its own. */
export function departmentName(t: Translate, department: { name: string } | undefined): string {
  if (department === undefined) return t("common.unknown");
  return department.name === "" ? t("common.department_first") : department.name;
}
