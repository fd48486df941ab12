// A sentence that must be read, on a ground of its own: a warning, or what went wrong.

import { CircleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { join } from "./join";
import styles from "./Note.module.css";

interface NoteProps {
  tone: "warn" | "danger";
  /** Instead of the usual sign. */
  icon?: ReactNode;
  /** What to do about it. */
  action?: ReactNode;
  testId?: string | undefined;
  children: string;
}

export function Note({ tone, icon, action, testId, children }: NoteProps) {
  return (
    <div className={join(styles.note, styles[tone])} data-testid={testId}>
      {icon ?? <CircleAlert size={16} aria-hidden="true" />}
      <div>
        <p>{children}</p>
        {action}
      </div>
    </div>
  );
}
