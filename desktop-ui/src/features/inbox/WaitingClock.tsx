// How long a visitor has waited for an answer: counts from the first unanswered message and stops
// only when an agent replies.

import { AlarmClock, Clock3, TriangleAlert } from "lucide-react";
import { useT } from "../../i18n";
import { clock } from "../../i18n/format";
import { useRelayNow } from "../../stores/clock";
import { useCompany } from "../../stores/company";
import { join } from "../../ui/join";
import styles from "./WaitingClock.module.css";
import { waitingLevel } from "./waiting";

const ICONS = { calm: Clock3, warn: AlarmClock, alarm: TriangleAlert } as const;

interface WaitingClockProps {
  since: number;
  /** What it counts, if not a missing answer. */
  title?: string;
}

export function WaitingClock({ since, title }: WaitingClockProps) {
  const t = useT();
  const waited = Math.max(0, useRelayNow() - since);
  const attention = useCompany((state) => state.company.attention);
  const level = waitingLevel(waited, attention);
  const Icon = ICONS[level];
  return (
    <span
      className={join(styles.clock, styles[level])}
      title={title ?? t("workbench.waiting_title")}
      data-level={level}
    >
      <Icon size={13} aria-hidden="true" />
      <span className="visually-hidden"> {title ?? t("workbench.waiting")} </span>
      {clock(waited)}
    </span>
  );
}
