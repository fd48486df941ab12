// A list of conversations beside the chat: rows of one height, one of them open, the keyboard at another.
// What a row says is its own.

import { WifiOff } from "lucide-react";
import type { ComponentType, ReactNode } from "react";
import { useT } from "../../i18n";
import { useChat } from "../../stores/chat";
import { Empty } from "../../ui/Empty";
import { join } from "../../ui/join";
import { RowList } from "../../ui/RowList";
import styles from "./Row.module.css";

const ROW_HEIGHT = 62;

/** What a row is given. */
export interface ConversationRowProps<T> {
  /** Of its element: the list names the active one by it. */
  id: string;
  row: T;
  /** It is the open one. */
  current: boolean;
  /** The keyboard is at it. */
  cursor: boolean;
  onOpen: (conversationId: string) => void;
}

interface ConversationListProps<T> {
  listId: string;
  label: string;
  rows: readonly T[];
  Row: ComponentType<ConversationRowProps<T>>;
  /** Stays the same, so that rows need not be drawn again. */
  onOpen: (conversationId: string) => void;
}

export function ConversationList<T extends { conversation_id: string }>(
  props: ConversationListProps<T>,
) {
  const { listId, label, rows, Row, onOpen } = props;
  const open = useChat((state) => state.conversationId);
  return (
    <RowList
      id={listId}
      label={label}
      rows={rows}
      rowHeight={ROW_HEIGHT}
      keyOf={(row) => row.conversation_id}
      open={open}
      onOpen={onOpen}
    >
      {(row, place) => (
        <Row
          key={row.conversation_id}
          id={place.id}
          row={row}
          current={row.conversation_id === open}
          cursor={place.cursor}
          onOpen={onOpen}
        />
      )}
    </RowList>
  );
}

interface RowFrameProps {
  id: string;
  conversationId: string;
  testId: string;
  current: boolean;
  cursor: boolean;
  /** Something in it was not viewed yet. */
  fresh?: boolean;
  /** The visitor is not there. */
  absent?: boolean;
  title?: string | undefined;
  /** More for those who look for it, by name. */
  data?: Readonly<Record<`data-${string}`, string | number | boolean>>;
  onOpen: (conversationId: string) => void;
  children: ReactNode;
}

/** One row: what is common to all of them. */
export function RowFrame(props: RowFrameProps) {
  const { id, conversationId, testId, current, cursor, fresh, absent, title, data } = props;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the list handles the keys for all its options
    // biome-ignore lint/a11y/useFocusableInteractive: the list holds the focus and names this one
    <div
      id={id}
      role="option"
      aria-selected={current}
      data-testid={testId}
      data-conversation-id={conversationId}
      {...data}
      title={title}
      className={join(
        styles.row,
        current && styles.current,
        fresh && styles.fresh,
        cursor && styles.cursor,
        absent && styles.absent,
      )}
      onClick={() => props.onOpen(conversationId)}
    >
      {props.children}
    </div>
  );
}

/** Nothing is known yet, because the relay is out of reach. */
export function OutOfReach() {
  const t = useT();
  return (
    <Empty
      icon={<WifiOff size={26} />}
      title={t("workbench.inbox_empty_offline")}
      text={t("workbench.inbox_empty_offline_text")}
    />
  );
}
