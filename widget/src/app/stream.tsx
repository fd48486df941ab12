// The stream of messages: keeps its place when earlier pages arrive above, follows the end when the
// visitor is there, says what was in view.

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { isClosed, isOpen } from "./apply";
import { Avatar } from "./avatar";
import { LineView } from "./bubble";
import type { ChatState } from "./client";
import { useTools } from "./context";
import { DownIcon } from "./icons";
import { type Line, linesOf } from "./lines";
import { useLasting } from "./use_seconds";
import { WelcomeBubble } from "./welcome";

const NEAR_END_PX = 48;
const NEAR_TOP_PX = 160;
/** What a screen reader is not read: the past, when it comes. */
const QUIET_MS = 500;

interface StreamProps {
  state: ChatState;
  is_shown: boolean;
  onEdit: (text: string) => void;
  is_leaving: boolean;
  onLeave: (() => void) | null;
  onWrite: () => void;
}

/** The highest number of the conversation whose message stands in the visible part of the log. */
function seqInView(log: HTMLElement, conversation_id: string): number {
  const bottom = log.getBoundingClientRect().bottom;
  let seen = 0;
  const rows = log.querySelectorAll<HTMLElement>("[data-seq]");
  for (let at = rows.length - 1; at >= 0; at -= 1) {
    const row = rows[at];
    if (row === undefined || row.dataset.conversationId !== conversation_id) continue;
    const box = row.getBoundingClientRect();
    if (box.top + Math.min(box.height, 24) > bottom) continue;
    seen = Number(row.dataset.seq);
    break;
  }
  return seen;
}

/** The welcome greets on opening; a conversation that ended before the eyes needs none. */
function isGreeted(state: ChatState): boolean {
  const conversation = state.held?.conversation ?? null;
  if (conversation === null || isOpen(conversation)) return conversation !== null;
  const opened_at = performance.timeOrigin + state.clock_offset;
  return conversation.status.kind === "ended" && conversation.status.at > opened_at;
}

export function Stream(props: StreamProps) {
  const { t, locale, client, later } = useTools();
  const { state, is_shown } = props;
  const log = useRef<HTMLDivElement>(null);
  const place = useRef({ is_at_end: true, height: 0, top: 0, first: "" });
  const [is_away, setAway] = useState(false);
  const conversation = state.held?.conversation ?? null;
  const { timeline, outbox } = state;
  // biome-ignore lint/correctness/useExhaustiveDependencies: what the lines are made of
  const lines = useMemo(() => linesOf(state), [timeline, outbox, conversation]);
  const has_come = useLasting(state.held !== null && !state.is_loading_earlier, QUIET_MS);
  const conversation_id = conversation?.id ?? "";
  const first = state.timeline.messages[0];
  const first_key = first ? `${first.conversation_id}:${first.seq}` : "";
  const last_key = lines.at(-1)?.key ?? "";
  // Not always the last line: messages that do not go stand below it.
  const newest = state.timeline.messages.at(-1);
  const newest_key = newest ? `${newest.conversation_id}:${newest.seq}` : "";

  const look = () => {
    const box = log.current;
    if (box === null) return;
    const to_end = box.scrollHeight - box.scrollTop - box.clientHeight;
    place.current.is_at_end = to_end < NEAR_END_PX;
    place.current.top = box.scrollTop;
    setAway(to_end > box.clientHeight);
    if (box.scrollTop < NEAR_TOP_PX) client.loadEarlier();
    tellView();
  };

  const tellView = () => {
    const box = log.current;
    const is_looked_at = is_shown && document.visibilityState === "visible" && document.hasFocus();
    if (box === null || !is_looked_at || !conversation_id) return;
    client.view(seqInView(box, conversation_id));
  };

  const toEnd = () => {
    const box = log.current;
    if (box !== null) box.scrollTop = box.scrollHeight;
  };

  // After every drawing: the end stays the end, what is read stays where it is.
  useLayoutEffect(() => {
    const box = log.current;
    if (box === null) return;
    const held = place.current;
    const grew_above = held.first !== first_key && held.first !== "";
    if (held.is_at_end) box.scrollTop = box.scrollHeight;
    else if (grew_above) box.scrollTop = held.top + box.scrollHeight - held.height;
    held.height = box.scrollHeight;
    held.top = box.scrollTop;
    held.first = first_key;
  });

  // Own writing always leads to the end.
  const is_own_last = lines.at(-1)?.kind === "unsent";
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs when a new own line appears
  useLayoutEffect(() => {
    if (is_own_last) toEnd();
  }, [is_own_last, last_key]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: runs when what is in view may change
  useEffect(tellView, [is_shown, newest_key, conversation_id]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: listens anew with the state it tells of
  useEffect(() => {
    document.addEventListener("visibilitychange", tellView);
    window.addEventListener("focus", tellView);
    return () => {
      document.removeEventListener("visibilitychange", tellView);
      window.removeEventListener("focus", tellView);
    };
  }, [is_shown, conversation_id]);

  // The keyboard of a phone, a growing composer, a card that comes late: the end stays in view.
  useEffect(() => {
    const box = log.current;
    if (box === null || typeof ResizeObserver === "undefined") return;
    const follow = () => {
      if (place.current.is_at_end) box.scrollTop = box.scrollHeight;
    };
    const resized = new ResizeObserver(follow);
    const changed = new MutationObserver(follow);
    resized.observe(box);
    changed.observe(box, { childList: true, subtree: true });
    return () => {
      resized.disconnect();
      changed.disconnect();
    };
  }, []);

  const marked = lines.filter((line) => line.kind === "message" && line.mark !== null).at(-1);
  const agent = conversation?.status.kind === "serving" ? conversation.status.agent : null;
  const is_silent = isGreeted(state) || isClosed(state.held);
  const welcome = is_silent ? "" : (state.held?.site.welcome ?? "");
  const edit = useRef(props.onEdit);
  edit.current = props.onEdit;
  const day = new Date().toDateString();
  const { site } = state.held ?? {};
  // Many lines: drawn when one of them changes, not at every key press.
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is said and how
  const [stored, unsent] = useMemo(() => {
    const now = Date.now();
    const draw = (line: Line) => (
      <LineView
        key={line.key}
        line={line}
        is_marked={line === marked}
        now={now}
        onEdit={(text) => edit.current(text)}
      />
    );
    const isUnsent = (line: Line) => line.kind === "unsent";
    return [lines.filter((line) => !isUnsent(line)).map(draw), lines.filter(isUnsent).map(draw)];
  }, [lines, locale, later, site, day]);
  return (
    <main class="middle">
      <div
        class="log"
        ref={log}
        onScroll={look}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: keyboards scroll it
        tabIndex={0}
        role="log"
        aria-label={t("log")}
        aria-live={has_come || timeline.messages.length === 0 ? "polite" : "off"}
      >
        {state.timeline.has_earlier && (
          <button
            type="button"
            class="earlier"
            data-testid="earlier"
            disabled={state.is_loading_earlier}
            onClick={() => client.loadEarlier()}
          >
            {state.is_loading_earlier ? t("loading") : t("earlier")}
          </button>
        )}
        {state.held === null && state.link !== "refused" && lines.length === 0 && <Skeleton />}
        {stored}
        {welcome !== "" && <WelcomeBubble text={welcome} />}
        {unsent}
        {later && (
          <later.Prompts
            state={state}
            is_leaving={props.is_leaving}
            onLeave={props.onLeave}
            onWrite={props.onWrite}
          />
        )}
        {state.is_agent_typing && agent && (
          <div class="row they last" data-testid="typing">
            <Avatar name={conversation?.members.length ? null : agent.nickname} />
            <div class="bubble dots" aria-hidden="true">
              <i />
              <i />
              <i />
            </div>
            <span class="mark">
              {conversation?.members.length
                ? t("typing_some")
                : t("typing", { name: agent.nickname })}
            </span>
          </div>
        )}
      </div>
      {is_away && (
        <button type="button" class="to-end" onClick={toEnd}>
          <DownIcon />
          {state.unread > 0 ? t("unread", { count: state.unread }) : t("to_newest")}
        </button>
      )}
    </main>
  );
}

function Skeleton() {
  return (
    <div class="skeleton" aria-hidden="true">
      <i />
      <i />
      <i />
    </div>
  );
}
