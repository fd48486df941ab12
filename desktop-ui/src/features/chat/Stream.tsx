// The message stream: a virtual list that never moves what is being read. It follows the end only
// while it already stands there; earlier pages are read before they are needed and keep the anchor;
// what was in view of a focused window is reported as viewed.

import { ArrowDown } from "lucide-react";
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { VList, type VListHandle } from "virtua";
import type { ChatHead } from "../../../../shared/bindings/ui/ChatHead";
import { useT } from "../../i18n";
import { lineOf, visitorName } from "../../i18n/words";
import { loadEarlier, trimEarlier, useChat, viewed } from "../../stores/chat";
import { useColleagues } from "../../stores/colleagues";
import { useFocused } from "../../ui/useFocused";
import { lastSeqAt, type StreamItem, streamItems, withPreview } from "./items";
import styles from "./Stream.module.css";
import { StreamItemView } from "./StreamItemView";

/** Nearer to the end than this is "at the end": about one line. */
const END_WITHIN_PX = 24;
/** Earlier messages are read when less than this is left above. */
const EARLIER_WITHIN_PX = 600;

interface StreamProps {
  conversationId: string;
  head: ChatHead;
  ownId: string;
}

function useItems(head: ChatHead, ownId: string): StreamItem[] {
  const { messages, notes, outbox, echoes, newAfter } = useChat();
  const chatAgents = useChat((state) => state.agents);
  const colleagues = useColleagues((state) => state.byId);
  const agents = useMemo(
    () => ({
      ...Object.fromEntries(Object.values(colleagues).map((one) => [one.card.id, one.card])),
      ...chatAgents,
    }),
    [colleagues, chatAgents],
  );
  const { visitor_marks: marks, preview } = head;
  const said = useMemo(() => {
    const preview = "";
    return streamItems({
      ownId,
      messages,
      notes,
      outbox,
      echoes,
      agents,
      marks,
      newAfter,
      preview,
    });
  }, [ownId, messages, notes, outbox, echoes, agents, marks, newAfter]);
  return useMemo(() => withPreview(said, preview), [said, preview]);
}

export function Stream({ conversationId, head, ownId }: StreamProps) {
  const t = useT();
  const items = useItems(head, ownId);
  const messages = useChat((state) => state.messages);
  const list = useRef<VListHandle>(null);
  const atEnd = useRef(true);
  const lastOffset = useRef(0);
  const [away, setAway] = useState(false);
  const focused = useFocused();

  // Items at the start were added or let go: the list keeps its place from the end.
  const firstSeq = messages[0]?.seq;
  const drawnFirst = useRef(firstSeq);
  const shift = drawnFirst.current !== undefined && drawnFirst.current !== firstSeq;
  useLayoutEffect(() => {
    drawnFirst.current = firstSeq;
  }, [firstSeq]);

  const count = items.length;
  const follow = useCallback(() => {
    if (atEnd.current) list.current?.scrollToIndex(count - 1, { align: "end" });
  }, [count]);

  const report = useCallback(() => {
    const handle = list.current;
    if (handle === null || !focused || handle.viewportSize === 0) return;
    const bottom = handle.scrollOffset + handle.viewportSize - 1;
    const seq = lastSeqAt(items, handle.findItemIndex(bottom));
    if (seq > 0) viewed(conversationId, seq);
  }, [conversationId, focused, items]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: every change of the items may move the end
  useLayoutEffect(follow, [follow, items]);
  useEffect(() => {
    report();
    if (atEnd.current) trimEarlier();
    if ((list.current?.scrollOffset ?? 0) < EARLIER_WITHIN_PX) readEarlier();
  }, [report]);
  useOpenAtNewLine(list, items);
  useOwnSend(toEnd);

  function onScroll(offset: number) {
    const handle = list.current;
    if (handle === null) return;
    const left = handle.scrollSize - handle.viewportSize - offset;
    if (left <= END_WITHIN_PX) atEnd.current = true;
    else if (offset < lastOffset.current - 1) atEnd.current = false;
    lastOffset.current = offset;
    setAway(!atEnd.current);
    if (offset < EARLIER_WITHIN_PX) readEarlier();
    report();
  }

  /** Sizes are known late, and a short conversation never scrolls. */
  function onResize() {
    follow();
    report();
  }

  function toEnd() {
    atEnd.current = true;
    setAway(false);
    follow();
  }

  return (
    <div className={styles.stream}>
      <VList
        ref={list}
        className={styles.list ?? ""}
        role="region"
        tabIndex={0}
        aria-label={t("workbench.messages")}
        data={items}
        shift={shift}
        onScroll={onScroll}
        onResize={onResize}
      >
        {(item) => <StreamItemView key={item.key} item={item} visitor={head.visitor} />}
      </VList>
      {away && (
        <button
          type="button"
          className={styles.down}
          onClick={toEnd}
          data-testid="to-end"
          aria-label={t("workbench.to_end")}
          title={t("workbench.to_end")}
        >
          <ArrowDown size={18} aria-hidden="true" />
        </button>
      )}
      <Announcer head={head} />
    </div>
  );
}

function readEarlier() {
  if (useChat.getState().earlier === "idle") void loadEarlier();
}

/** Whoever sends wants to see it: the view goes to the end. */
function useOwnSend(toEnd: () => void) {
  const echoes = useChat((state) => state.echoes.length);
  const before = useRef(echoes);
  useLayoutEffect(() => {
    if (echoes > before.current) toEnd();
    before.current = echoes;
  });
}

/** When a conversation is opened and its new messages fill more than the view, begin at the line. */
function useOpenAtNewLine(list: React.RefObject<VListHandle | null>, items: StreamItem[]) {
  const done = useRef(false);
  useEffect(() => {
    if (done.current || items.length < 2) return;
    done.current = true;
    const line = items.findIndex((item) => item.kind === "new");
    if (line < 0) return;
    requestAnimationFrame(() => {
      const handle = list.current;
      if (handle !== null && handle.getItemOffset(line) < handle.scrollOffset) {
        handle.scrollToIndex(line, { align: "start" });
      }
    });
  }, [list, items]);
}

/** Reads new lines of the visitor and of the system out, politely, and nothing else of the stream. */
function Announcer({ head }: { head: ChatHead }) {
  const t = useT();
  const last = useChat((state) => state.messages.at(-1));
  const from = useRef(last?.seq ?? 0);
  const fresh = last !== undefined && last.seq > from.current && last.author.kind !== "agent";
  const who =
    last?.author.kind === "visitor" ? `${visitorName(t, head.visitor)}${t("common.colon")}` : "";
  return (
    <div className="visually-hidden" aria-live="polite">
      {fresh && `${who}${lineOf(t, last)}`}
    </div>
  );
}
