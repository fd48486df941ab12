// The line as the visitor sees it (A30): place and expected wait, live and without a jump; leaving
// it, or leaving a message instead.

import { useState } from "preact/hooks";
import type { ChatState } from "./client";
import { useTools } from "./context";
import { MailIcon } from "./icons_later";
import { placeOf } from "./place";
import { useSeconds } from "./use_seconds";
import { companyWords, waitWords } from "./words";

/** Since when the conversation waits, by this device's clock. */
function since(state: ChatState): number | null {
  const id = state.held?.conversation?.id;
  const own = state.timeline.messages.filter((message) => message.conversation_id === id);
  const again = own.filter(
    ({ content }) => content.kind === "notice" && content.notice.kind === "requeued",
  );
  const from = again.at(-1) ?? own[0];
  return from === undefined ? null : from.at - state.clock_offset;
}

/** How long already, and how much of the whole that is. It moves each second and is not read out. */
function Waited(props: { from: number; expected: number | null; is_live: boolean }) {
  const { t } = useTools();
  const waited = Math.max(0, useSeconds(true) - props.from);
  const seconds = Math.floor(waited / 1000);
  const share = props.expected ? waited / (waited + props.expected) : 0;
  return (
    <div class="waited" aria-hidden="true">
      <div class="bar">
        <i style={{ width: `${Math.round(share * 100)}%` }} />
      </div>
      <span>
        {seconds < 60
          ? t("waited_seconds", { count: seconds })
          : t("waited_minutes", { count: Math.floor(seconds / 60) })}
      </span>
      {props.is_live && <span>{t("queue_live")}</span>}
    </div>
  );
}

export function QueueCard(props: { state: ChatState; onLeave: (() => void) | null }) {
  const { t, client } = useTools();
  const { state, onLeave } = props;
  const [is_sure, setSure] = useState(false);
  const place = placeOf(state);
  const from = since(state);
  const wait = waitWords(place?.expected_wait_ms ?? null, t);
  const gaps = { place: place?.place, wait };
  const words = companyWords(state.held?.site.prompts.queued, gaps, t);
  const leave = () => {
    if (is_sure) client.leaveQueue();
    setSure(!is_sure);
  };
  return (
    <section
      class="card queue"
      data-testid="notice"
      data-kind="all_full"
      data-place={place?.place}
      data-wait={place?.expected_wait_ms}
    >
      <div class="stands" aria-live="polite" aria-atomic="true">
        {words !== null ? (
          <p>{words}</p>
        ) : place === null ? (
          <>
            <h2>{t("prompt_all_full_title")}</h2>
            <p>{t("prompt_all_full")}</p>
          </>
        ) : (
          <>
            <Ahead count={Math.max(0, place.place - 1)} />
            <p>{wait ? t("queue_wait", { wait }) : t("queue_no_wait")}</p>
          </>
        )}
      </div>
      {from !== null && (
        <Waited
          from={from}
          expected={place?.expected_wait_ms ?? null}
          is_live={state.link === "live"}
        />
      )}
      <div class="choice">
        {onLeave && (
          <button type="button" data-testid="leave-instead" onClick={onLeave}>
            <MailIcon />
            {t("leave_instead")}
          </button>
        )}
        <button type="button" class="quiet" data-testid="leave-queue" onClick={leave}>
          {is_sure ? t("leave_queue_confirm") : t("leave_queue")}
        </button>
      </div>
    </section>
  );
}

/** The number large, the words around it as the language puts them. */
function Ahead(props: { count: number }) {
  const { t } = useTools();
  if (props.count === 0) return <p class="ahead next">{t("queue_next")}</p>;
  const words = t("queue_ahead", { count: "\n" }).split("\n");
  return (
    <p class="ahead">
      {words[0]}
      <b>{props.count}</b>
      {words[1]}
    </p>
  );
}
