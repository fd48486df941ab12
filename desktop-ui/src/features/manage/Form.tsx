// The parts every form is made of: a titled section, and a field with its label, what it means, and
// what is wrong with it.

import { type ReactNode, useId } from "react";
import { type TextKey, useT } from "../../i18n";
import { join } from "../../ui/join";
import styles from "./Form.module.css";

interface SectionProps {
  title: string;
  about?: string;
  children: ReactNode;
}

export function FormSection({ title, about, children }: SectionProps) {
  return (
    <section className={styles.section} aria-label={title}>
      <h3>{title}</h3>
      {about !== undefined && <p className={styles.about}>{about}</p>}
      {children}
    </section>
  );
}

/** What a control inside a field carries, so that its words belong to it. */
export interface Described {
  id: string;
  "aria-describedby": string;
  "aria-invalid": boolean;
  status: "" | "error";
}

interface FieldProps {
  label: string;
  hint?: string | undefined;
  problem?: TextKey | undefined;
  /** Several controls under one label: they are a group, each with a name of its own. */
  group?: boolean;
  /** The label stands above: the controls need the whole width. */
  stacked?: boolean;
  children: (described: Described) => ReactNode;
}

export function Field(props: FieldProps) {
  const { label, hint, problem, group = false, stacked = false, children } = props;
  const t = useT();
  const id = useId();
  const described: Described = {
    id,
    "aria-describedby": `${id}-hint ${id}-problem`,
    "aria-invalid": problem !== undefined,
    status: problem === undefined ? "" : "error",
  };
  const look = join(styles.field, stacked && styles.stacked);
  const inside = (
    <>
      <label className={styles.label} id={`${id}-label`} htmlFor={group ? undefined : id}>
        {label}
      </label>
      <div className={styles.control}>{children(described)}</div>
      {hint !== undefined && (
        <p className={styles.hint} id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {problem !== undefined && (
        <p className={styles.error} id={`${id}-problem`} role="alert">
          {t(problem)}
        </p>
      )}
    </>
  );
  return group ? (
    <fieldset className={look} aria-labelledby={`${id}-label`}>
      {inside}
    </fieldset>
  ) : (
    <div className={look}>{inside}</div>
  );
}
