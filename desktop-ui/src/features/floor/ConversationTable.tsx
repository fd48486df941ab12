// Conversations of the floor as a table; a row opens its conversation watched. A row is drawn again only
// when it changed: a frame comes every second, and there may be hundreds of rows.

import { memo, type ReactElement, type ReactNode } from "react";
import { type TextKey, type Translate, useT } from "../../i18n";
import { openFromFloor } from "../../stores/floor";
import { join } from "../../ui/join";
import { useMore } from "../../ui/useMore";
import styles from "./Table.module.css";

/** What every conversation of the floor has. */
interface Conversation {
  conversation_id: string;
  label: string;
}

/** A column: its head, how it stands, and what it says of a row. */
export interface Column<T> {
  head: TextKey;
  as?: "end" | "wide" | "words";
  cell: (row: T) => ReactNode;
}

interface ConversationTableProps<T extends Conversation> {
  /** Begins the test ids of its rows. */
  name: string;
  rows: readonly T[];
  /** How many there are, listed or not. */
  total: number;
  /** Stays the same as long as it says the same. */
  columns: readonly Column<T>[];
}

export function ConversationTable<T extends Conversation>(props: ConversationTableProps<T>) {
  const { name, rows, total, columns } = props;
  const t = useT();
  const { shown, mark } = useMore(rows.length);
  return (
    <table className={styles.table} data-testid={`${name}-table`}>
      <thead>
        <tr>
          {columns.map(({ head, as }) => (
            <th key={head} scope="col" className={join(as !== undefined && styles[as])}>
              {t(head)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.slice(0, shown).map((row) => (
          <Row key={row.conversation_id} t={t} name={name} row={row} columns={columns} />
        ))}
        {shown < rows.length && <tr key={shown} ref={mark} />}
      </tbody>
      {total > rows.length && (
        <tfoot>
          <tr>
            <td colSpan={columns.length} className={styles.part}>
              {t("floor.shown_part", { shown: rows.length, count: total })}
            </td>
          </tr>
        </tfoot>
      )}
    </table>
  );
}

interface RowProps<T extends Conversation> {
  t: Translate;
  name: string;
  row: T;
  columns: readonly Column<T>[];
}

function OneRow<T extends Conversation>({ t, name, row, columns }: RowProps<T>) {
  return (
    <tr
      className={styles.choosable}
      title={t("floor.watch_hint")}
      data-testid={`${name}-${row.conversation_id}`}
      onClick={() => void openFromFloor(row.conversation_id)}
    >
      {columns.map(({ head, as, cell }) => (
        <td key={head} className={join(as !== undefined && styles[as])}>
          {cell(row)}
        </td>
      ))}
    </tr>
  );
}

// `memo` forgets that its component is generic.
const Row = memo(OneRow) as <T extends Conversation>(props: RowProps<T>) => ReactElement;

/** The visitor of a row: the button that its keyboard opens it by. */
export function Visitor({ label, children }: { label: string; children?: ReactNode }) {
  const t = useT();
  const name = t("common.visitor_name", { label });
  return (
    <>
      <button type="button" className={styles.name} aria-label={t("floor.open_watched", { name })}>
        {name}
      </button>
      {children}
    </>
  );
}
