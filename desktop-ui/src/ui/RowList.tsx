// A list of rows of one height: one tab stop, arrows move through it, Enter opens. Rows are drawn only
// where they are seen.

import { type KeyboardEvent, type ReactElement, useRef, useState } from "react";
import { VList, type VListHandle } from "virtua";
import { join } from "./join";
import styles from "./RowList.module.css";

/** How a row stands in the list. */
export interface RowPlace {
  /** Its element's id, which the list names as the active one. */
  id: string;
  /** The keyboard is at it. */
  cursor: boolean;
}

interface RowListProps<T> {
  id: string;
  label: string;
  rows: readonly T[];
  rowHeight: number;
  keyOf: (row: T) => string;
  /** The row that is open, if any: the keyboard begins there. */
  open: string | null;
  onOpen: (key: string) => void;
  children: (row: T, place: RowPlace) => ReactElement;
}

export function RowList<T>(props: RowListProps<T>) {
  const { id, label, rows, rowHeight, keyOf, open, onOpen, children } = props;
  const list = useRef<VListHandle>(null);
  const [cursor, setCursor] = useState<string | null>(null);
  const [focused, setFocused] = useState(false);
  const idOf = (key: string) => `${id}-${key}`;

  const wanted = rows.findIndex((row) => keyOf(row) === (cursor ?? open));
  const at = Math.max(0, wanted);

  function onKeyDown(event: KeyboardEvent) {
    const page = Math.max(1, Math.floor((list.current?.viewportSize ?? 0) / rowHeight) - 1);
    const to = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: rows.length - 1,
    }[event.key];
    const row = rows[at];
    if (to !== undefined) {
      event.preventDefault();
      const index = Math.min(rows.length - 1, Math.max(0, to));
      const next = rows[index];
      setCursor(next === undefined ? null : keyOf(next));
      list.current?.scrollToIndex(index, { align: "nearest" });
    } else if ((event.key === "Enter" || event.key === " ") && row !== undefined) {
      event.preventDefault();
      setCursor(keyOf(row));
      onOpen(keyOf(row));
    }
  }

  const active = rows[at];
  return (
    <VList
      ref={list}
      id={id}
      className={join(styles.list)}
      role="listbox"
      tabIndex={0}
      aria-label={label}
      aria-activedescendant={active === undefined ? undefined : idOf(keyOf(active))}
      data={rows}
      itemSize={rowHeight}
      onKeyDown={onKeyDown}
      onFocus={() => setFocused(true)}
      onBlur={() => setFocused(false)}
      onClick={() => setCursor(null)}
    >
      {(row, index) => children(row, { id: idOf(keyOf(row)), cursor: focused && index === at })}
    </VList>
  );
}
