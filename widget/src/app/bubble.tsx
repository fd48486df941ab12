// One line of the stream: a bubble, a line of the system, a divider of time. Text is text; links by
// allow-list.

import { Avatar } from "./avatar";
import { useTools } from "./context";
import { moment, timeOfDay } from "./i18n";
import { ClockIcon } from "./icons";
import type { Line, Mark } from "./lines";
import { pieces } from "./link_text";
import type { OutboxItem } from "./outbox";
import type { VisitorMessage } from "./protocol";

export function Text(props: { text: string }) {
  return (
    <>
      {pieces(props.text).map((piece, at) =>
        piece.href === undefined ? (
          piece.text
        ) : (
          <a key={at} href={piece.href} target="_blank" rel="noopener noreferrer nofollow">
            {piece.text}
          </a>
        ),
      )}
    </>
  );
}

function MarkLabel(props: { mark: Mark; at: number | null; is_left?: boolean }) {
  const { t } = useTools();
  const words = props.mark === "wedged" ? t("state_queued") : t(`state_${props.mark}`);
  return (
    <span class="mark">
      {props.mark === "queued" && <ClockIcon />}
      {props.is_left && `${t("leave_mark")} · `}
      {words}
      {props.at !== null && ` ${timeOfDay(props.at)}`}
    </span>
  );
}

function Stored(props: {
  message: VisitorMessage;
  mark: Mark | null;
  is_last_of: boolean;
  is_marked: boolean;
  name: string | null;
  agent: string | null;
}) {
  const { t, later } = useTools();
  const { message, mark } = props;
  const { author, content } = message;
  const attributes = {
    "data-testid": "message",
    "data-seq": message.seq,
    "data-conversation-id": message.conversation_id,
    "data-client-id": message.client_id,
    "data-author": author.kind,
    "data-state": mark ?? "stored",
  };
  const notice = content.kind === "notice" ? content.notice : null;
  if (notice !== null && notice.kind !== "welcome") {
    return later ? (
      <later.Notice notice={notice} agent={props.agent} attributes={attributes} />
    ) : (
      <p class="gap" {...attributes} />
    );
  }
  const text = content.kind === "text" ? content.text : notice?.text;
  // Of a site without a welcome.
  if (text === "") return null;
  if (text === undefined) {
    return (
      <p class="system" {...attributes}>
        {t("unknown_message")}
      </p>
    );
  }
  const is_me = author.kind === "me";
  const name = author.kind === "agent" ? author.agent.nickname : null;
  const classes = `row ${is_me ? "me" : "they"}${props.is_last_of ? " last" : ""}`;
  return (
    <div class={classes} {...attributes} title={timeOfDay(message.at)}>
      {!is_me && (props.is_last_of ? <Avatar name={name} /> : <span class="avatar none" />)}
      {is_me && mark && props.is_marked && <MarkLabel mark={mark} at={message.at} />}
      <div class="bubble">
        {props.name ? (
          <b class="name">{props.name}</b>
        ) : (
          <span class="heard">{is_me ? t("me") : (name ?? "")} </span>
        )}
        <Text text={text} />
      </div>
    </div>
  );
}

/** A message on its way, with what can be done about it. */
function Unsent(props: { item: OutboxItem; mark: Mark; onEdit: (text: string) => void }) {
  const { t, later } = useTools();
  const { item, mark } = props;
  const has_stopped = mark === "failed" || mark === "wedged";
  const may_discard = has_stopped || (mark === "queued" && item.tries === 0);
  return (
    <div
      class={`row me last unsent ${mark}`}
      data-testid="message"
      data-client-id={item.client_id}
      data-author="me"
      data-state={mark}
    >
      {!has_stopped && <MarkLabel mark={mark} at={null} is_left={item.leave !== null} />}
      <div class="bubble">
        <span class="heard">{t("me")} </span>
        <Text text={item.text} />
      </div>
      {(has_stopped || may_discard) && later && (
        <later.Repair item={item} has_stopped={has_stopped} onEdit={props.onEdit} />
      )}
    </div>
  );
}

export function LineView(props: {
  line: Line;
  is_marked: boolean;
  now: number;
  onEdit: (text: string) => void;
}) {
  const { locale } = useTools();
  const { line } = props;
  switch (line.kind) {
    case "time":
      return <p class="system time">{moment(line.at, props.now, locale)}</p>;
    case "message":
      return <Stored {...line} is_marked={props.is_marked} />;
    case "unsent":
      return <Unsent item={line.item} mark={line.mark} onEdit={props.onEdit} />;
  }
}
