// A length of time as a number and its unit. The number is kept inside its bounds when it is left.

import { InputNumber, Select, Switch } from "antd";
import { useState } from "react";
import { useT } from "../../i18n";
import styles from "./Form.module.css";
import { secondsIn, UNITS, type Unit, unitFor } from "./lists";

interface SecondsProps {
  id?: string;
  label: string;
  value: number;
  min: number;
  max: number;
  name: string;
  onChange: (seconds: number) => void;
}

export function Seconds({ id, label, value, min, max, name, onChange }: SecondsProps) {
  const t = useT();
  const [chosen, setUnit] = useState<Unit>(() => unitFor(value));
  // Changed from elsewhere to what the unit cannot say: a smaller one can.
  const unit = value % UNITS[chosen] === 0 ? chosen : unitFor(value);
  const units = (Object.keys(UNITS) as Unit[]).filter((one) => UNITS[one] <= max);
  return (
    <>
      <InputNumber
        {...(id === undefined ? {} : { id })}
        className={styles.number ?? ""}
        aria-label={label}
        value={value / UNITS[unit]}
        min={Math.ceil(min / UNITS[unit])}
        max={Math.floor(max / UNITS[unit])}
        precision={0}
        data-testid={name}
        onChange={(count) => {
          if (count !== null) onChange(secondsIn(count, unit, min, max));
        }}
      />
      <Select
        className={styles.unit ?? ""}
        aria-label={`${label} · ${t("manage.unit")}`}
        value={unit}
        options={units.map((one) => ({ value: one, label: t(`manage.unit_${one}`) }))}
        onChange={(to: Unit) => {
          setUnit(to);
          const count = value === 0 ? 0 : Math.max(1, Math.round(value / UNITS[to]));
          onChange(secondsIn(count, to, min, max));
        }}
      />
    </>
  );
}

interface OptionalSecondsProps extends Omit<SecondsProps, "value" | "onChange"> {
  value: number | null;
  /** Where it begins when it is switched on. */
  usual: number;
  onChange: (seconds: number | null) => void;
}

/** A length of time that may be switched off. */
export function OptionalSeconds({ value, usual, onChange, ...rest }: OptionalSecondsProps) {
  const t = useT();
  return (
    <>
      <Switch
        checked={value !== null}
        aria-label={rest.label}
        data-testid={`${rest.name}-on`}
        onChange={(on) => onChange(on ? usual : null)}
      />
      {value === null ? (
        <span className={styles.hint}>{t("manage.off")}</span>
      ) : (
        <Seconds {...rest} value={value} onChange={onChange} />
      )}
    </>
  );
}
