// What the window says about the state of things: why one waits, that it ended, why it does not go.

import { isClosed } from "./apply";
import { isAsked } from "./asks";
import { Card } from "./card";
import { Choices } from "./choices";
import type { ChatState } from "./client";
import { useTools } from "./context";
import { waitOf } from "./outbox";
import type { ErrorCode } from "./protocol";
import { Ended, type PromptsProps, Waiting } from "./standing";
import { LASTING_MS, useLasting } from "./use_seconds";
import { companyWords } from "./words";

function refusalText(code: ErrorCode | null) {
  if (code === "site_disabled") return "refused_site_disabled" as const;
  return code === "unsupported_version" ? ("refused_version" as const) : ("refused_other" as const);
}

export function Prompts(props: PromptsProps) {
  const { t, client } = useTools();
  const { state } = props;
  const is_closed = isClosed(state.held);
  const held = state.outbox.find(
    (item) => item.state.kind === "queued" && waitOf(item, Date.now()) > 0,
  );
  return (
    <>
      <Waiting {...props} />
      {!is_closed && <Ended {...props} />}
      {isAsked(state.held, state.outbox) && !props.is_leaving && <Choices state={state} />}
      {is_closed && state.link !== "refused" && (
        <Card kind="closed" title={t("refused_title")} text={t("refused_site_disabled")} />
      )}
      {state.link === "refused" && (
        <Card
          kind="refused"
          title={t("refused_title")}
          text={t(refusalText(state.refusal))}
          actions={[{ id: "try-again", words: t("try_again"), run: () => client.enterAgain() }]}
        />
      )}
      {state.link === "live" && held && (
        <Card
          kind={held.held_by === "too_fast" ? "too_fast" : "busy"}
          text={t(held.held_by === "too_fast" ? "too_fast" : "busy")}
        />
      )}
      <LinkCard state={state} />
      {state.trouble && <Card kind="trouble" text={t("trouble")} />}
      {!state.is_durable && <Card kind="not_durable" text={t("not_durable")} />}
    </>
  );
}

/** The company's words for a lost link; the widget's own stand in the head. */
function LinkCard(props: { state: ChatState }) {
  const { t } = useTools();
  const { link, held } = props.state;
  const kind = link === "reconnecting" || link === "offline" ? link : null;
  const lasts = useLasting(kind !== null, LASTING_MS);
  const text = kind && companyWords(held?.site.prompts[kind], {}, t);
  return lasts && kind && text ? <Card kind={kind} text={text} /> : null;
}
