// A time of the day, typed. It is read when the field is left; what is no time falls back to what
// stood there.

import { Input } from "antd";
import { useState } from "react";
import { parseTime, timeText } from "../i18n/format";
import styles from "./TimeField.module.css";

interface TimeFieldProps {
  label: string;
  minutes: number;
  name: string;
  wrong: boolean;
  onChange: (minutes: number) => void;
}

export function TimeField({ label, minutes, name, wrong, onChange }: TimeFieldProps) {
  const [typed, setTyped] = useState<string | null>(null);
  function settle() {
    const read = typed === null ? null : parseTime(typed);
    setTyped(null);
    if (read !== null && read !== minutes) onChange(read);
  }
  return (
    <Input
      className={styles.time ?? ""}
      value={typed ?? timeText(minutes)}
      inputMode="numeric"
      maxLength={5}
      status={wrong || (typed !== null && parseTime(typed) === null) ? "error" : ""}
      aria-label={label}
      data-testid={name}
      onChange={({ target }) => setTyped(target.value)}
      onFocus={({ target }) => target.select()}
      onBlur={settle}
      onPressEnter={settle}
    />
  );
}
