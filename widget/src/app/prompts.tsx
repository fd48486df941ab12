// What the window says about the state of things: why one waits, that it ended, why it does not go.

import { isClosed } from "./apply";
import { Avatar } from "./avatar";
import { Text } from "./bubble";
import type { ChatState } from "./client";
import { useTools } from "./context";
import { waitOf } from "./outbox";
import type { ErrorCode } from "./protocol";

/** The site's welcome, shown on opening and stored by the relay with the first message. */
export function WelcomeBubble(props: { text: string }) {
  return (
    <div class="row they last" data-testid="welcome">
      <Avatar name={null} />
      <div class="bubble">
        <Text text={props.text} />
      </div>
    </div>
  );
}

function Card(props: {
  kind: string;
  title?: string;
  text: string;
  action?: [string, () => void];
}) {
  return (
    <section class={`card ${props.kind}`} data-testid="notice" data-kind={props.kind}>
      {props.title && <h2>{props.title}</h2>}
      <p>{props.text}</p>
      {props.action && (
        <button type="button" onClick={props.action[1]}>
          {props.action[0]}
        </button>
      )}
    </section>
  );
}

function refusalText(code: ErrorCode | null) {
  if (code === "site_disabled") return "refused_site_disabled" as const;
  return code === "unsupported_version" ? ("refused_version" as const) : ("refused_other" as const);
}

export function Prompts(props: { state: ChatState }) {
  const { t, client } = useTools();
  const { state } = props;
  const status = state.held?.conversation?.status;
  const is_closed = isClosed(state.held);
  const held = state.outbox.find(
    (item) => item.state.kind === "queued" && waitOf(item, Date.now()) > 0,
  );
  return (
    <>
      {status?.kind === "waiting" && status.reason === "all_full" && (
        <Card kind="all_full" title={t("prompt_all_full_title")} text={t("prompt_all_full")} />
      )}
      {status?.kind === "waiting" && status.reason === "nobody_online" && (
        <Card kind="nobody_online" title={t("prompt_nobody_title")} text={t("prompt_nobody")} />
      )}
      {status?.kind === "ended" && !is_closed && <Card kind="ended" text={t("prompt_ended")} />}
      {is_closed && state.link !== "refused" && (
        <Card kind="closed" title={t("refused_title")} text={t("refused_site_disabled")} />
      )}
      {state.link === "refused" && (
        <Card
          kind="refused"
          title={t("refused_title")}
          text={t(refusalText(state.refusal))}
          action={[t("try_again"), () => client.enterAgain()]}
        />
      )}
      {state.link === "live" && held && (
        <Card
          kind={held.held_by === "too_fast" ? "too_fast" : "busy"}
          text={t(held.held_by === "too_fast" ? "too_fast" : "busy")}
        />
      )}
      {state.trouble && <Card kind="trouble" text={t("trouble")} />}
      {!state.is_durable && <Card kind="not_durable" text={t("not_durable")} />}
    </>
  );
}
