// What the window says about the state of things: why one waits, that it ended, why it does not go.

import { isClosed } from "./apply";
import { isAsked } from "./asks";
import { Avatar } from "./avatar";
import { Text } from "./bubble";
import { Choices } from "./choices";
import type { ChatState } from "./client";
import { useTools } from "./context";
import { CheckIcon } from "./icons";
import { isLeft } from "./leaving";
import { waitOf } from "./outbox";
import type { ErrorCode, VisitorPrompts } from "./protocol";
import { placeOf, QueueCard } from "./queue";
import { useLasting } from "./use_seconds";
import { companyWords } from "./words";

/** What passes sooner is not worth a word. */
const LASTING_MS = 1_500;

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

interface Action {
  id: string;
  words: string;
  run: () => void;
}

function Card(props: {
  kind: string;
  title?: string;
  text: string;
  is_good?: boolean;
  actions?: (Action | null)[];
}) {
  return (
    <section class={`card ${props.kind}`} data-testid="notice" data-kind={props.kind}>
      {props.title && (
        <h2>
          {props.is_good && <CheckIcon />}
          {props.title}
        </h2>
      )}
      <p>{props.text}</p>
      {props.actions?.map(
        (action) =>
          action && (
            <button key={action.id} type="button" data-testid={action.id} onClick={action.run}>
              {action.words}
            </button>
          ),
      )}
    </section>
  );
}

function refusalText(code: ErrorCode | null) {
  if (code === "site_disabled") return "refused_site_disabled" as const;
  return code === "unsupported_version" ? ("refused_version" as const) : ("refused_other" as const);
}

interface PromptsProps {
  state: ChatState;
  /** The form of the leave-message is open. */
  is_leaving: boolean;
  /** Opens it; absent where nothing can be left. */
  onLeave: (() => void) | null;
  /** Turns to the composer. */
  onWrite: () => void;
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

/** Why there is no agent yet. */
function Waiting(props: PromptsProps) {
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
function Ended(props: PromptsProps) {
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
          is_good={true}
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
