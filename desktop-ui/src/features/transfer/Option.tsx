// One who can be chosen: a radio button with a face, a name, where they answer and how much they have.

import type { ReactNode } from "react";
import { Avatar, initials } from "../../ui/Avatar";
import { join } from "../../ui/join";
import styles from "./Picker.module.css";

interface OptionProps {
  /** The radio group's name. */
  group: string;
  /** Whose. */
  value: string;
  name: string;
  /** A second line. */
  detail: string;
  /** At the right: a load, a count. */
  figure: ReactNode;
  chosen: boolean;
  testId: string;
  onChoose: (value: string) => void;
}

export function Option(props: OptionProps) {
  const { group, value, name, detail, figure, chosen, testId, onChoose } = props;
  return (
    <label
      className={join(styles.option, chosen && styles.chosen)}
      data-testid={testId}
      data-value={value}
    >
      <input
        type="radio"
        className="visually-hidden"
        name={group}
        value={value}
        checked={chosen}
        onChange={() => onChoose(value)}
      />
      <Avatar letters={initials(name)} seed={value} size={28} />
      <span className={styles.who}>
        <b>{name}</b>
        {detail !== "" && <span>{detail}</span>}
      </span>
      {figure}
    </label>
  );
}
