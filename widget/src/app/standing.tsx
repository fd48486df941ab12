// Why there is no agent yet, and what can be done after the end.

import { Card } from "./card";
import type { ChatState } from "./client";
import { useTools } from "./context";
import { CheckIcon } from "./icons_later";
import { isLeft } from "./leaving";
import { placeOf } from "./place";
import type { VisitorPrompts } from "./protocol";
import { QueueCard } from "./queue";
import { LASTING_MS, useLasting } from "./use_seconds";
import { companyWords } from "./words";

export interface PromptsProps {
  state: ChatState;
  /** The form of the leave-message is open. */
  is_leaving: boolean;
  /** Opens it; absent where nothing can be left. */
  onLeave: (() => void) | null;
  /** Turns to the composer. */
  onWrite: () => void;
}

/** Why there is no agent yet. */
export function Waiting(props: PromptsProps) {
  const { t } = useTools();
  const { state, is_leaving, onLeave } = props;
  const status = state.held?.conversation?.status;
  const reason = status?.kind === "waiting" ? status.reason : null;
  const is_routing = useLasting(reason === "routing", LASTING_MS);
  const own = (key: keyof VisitorPrompts) => companyWords(state.held?.site.prompts[key], {}, t);
  const leave = onLeave && { id: "leave-open", words: t("leave_title"), run: onLeave };
  switch (reason) {
    case "all_full":
      return <QueueCard state={state} onLeave={is_leaving ? null : onLeave} />;
    case "routing": {
      if (is_routing && placeOf(state)) {
        return <QueueCard state={state} onLeave={is_leaving ? null : onLeave} />;
      }
      const text = own("waiting");
      return is_routing && text ? <Card kind="routing" text={text} /> : null;
    }
    // While the form is open its head says it.
    case "nobody_online": {
      if (is_leaving) return null;
      const text = own("nobody_online") ?? t("prompt_nobody");
      const title = t("prompt_nobody_title");
      return <Card kind="nobody_online" title={title} text={text} actions={[leave]} />;
    }
    case "closed": {
      if (is_leaving) return null;
      const text = own("closed") ?? t("prompt_nobody");
      return <Card kind="out_of_hours" title={t("line_closed")} text={text} actions={[leave]} />;
    }
    default:
      return null;
  }
}

/** What can be done after the end. */
export function Ended(props: PromptsProps) {
  const { t } = useTools();
  const { state, is_leaving, onLeave } = props;
  const status = state.held?.conversation?.status;
  if (status?.kind !== "ended") return null;
  const leaves = (words: string) =>
    is_leaving || onLeave === null ? null : { id: "leave-open", words, run: onLeave };
  switch (status.by) {
    case "agent_away": {
      const again = { id: "write-again", words: t("away_again"), run: props.onWrite };
      return (
        <Card
          kind="agent_away"
          title={t("away_title")}
          text={t("away")}
          actions={is_leaving ? [] : [again, leaves(t("leave_title"))]}
        />
      );
    }
    case "leave_message": {
      const is_left = isLeft(state);
      const words = companyWords(state.held?.site.prompts.message_left, {}, t);
      return (
        <Card
          kind="message_left"
          mark={<CheckIcon />}
          title={t(is_left ? "left_title" : "filed_title")}
          text={words ?? t(is_left ? "left" : "filed")}
          actions={is_left ? [] : [leaves(t("filed_contact"))]}
        />
      );
    }
    case "left_queue":
      return <Card kind="ended" text={t("prompt_ended")} actions={[leaves(t("leave_title"))]} />;
    default:
      return <Card kind="ended" text={t("prompt_ended")} />;
  }
}
