// Which columns a list shows: each with a tick, turned on and off.

import { Check, SlidersHorizontal } from "lucide-react";
import styles from "./ColumnsMenu.module.css";
import { IconButton } from "./IconButton";
import { Menu } from "./Menu";

interface ColumnsMenuProps {
  label: string;
  /** Heard beside a column that is shown. */
  shownWord: string;
  /** Of the button with an s, of each column with its key. */
  testId: string;
  columns: readonly { key: string; label: string; shown: boolean }[];
  onToggle: (key: string) => void;
}

export function ColumnsMenu({ label, shownWord, testId, columns, onToggle }: ColumnsMenuProps) {
  return (
    <Menu
      placement="bottomRight"
      items={columns.map(({ key, label, shown }) => ({
        key,
        icon: shown ? <Check size={16} /> : <span className={styles.unchecked} />,
        label: (
          <span data-testid={`${testId}-${key}`}>
            {label}
            {shown && <span className="visually-hidden"> {shownWord}</span>}
          </span>
        ),
      }))}
      onChoose={onToggle}
    >
      <IconButton label={label} aria-haspopup="menu" data-testid={`${testId}s`}>
        <SlidersHorizontal size={15} aria-hidden="true" />
      </IconButton>
    </Menu>
  );
}
