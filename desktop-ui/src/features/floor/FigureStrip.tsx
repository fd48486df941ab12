// The sums above the tables: six figures of one size, the ones that hurt in colour and with a sign.

import { AlarmClock, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { useT } from "../../i18n";
import { clock } from "../../i18n/format";
import { useRelayNow } from "../../stores/clock";
import { useCompany } from "../../stores/company";
import { join } from "../../ui/join";
import styles from "./FigureStrip.module.css";
import type { Figures } from "./figures";
import { responseText } from "./words";

interface FigureProps {
  label: string;
  name: string;
  tone?: "warn" | "danger" | undefined;
  rest?: string;
  /** It counts a wait: how urgent that is has a sign, not only a colour. */
  since?: boolean;
  children: ReactNode;
}

function Figure({ label, name, tone, rest, since = false, children }: FigureProps) {
  return (
    <div className={styles.figure} data-testid={`figure-${name}`}>
      <dt>{label}</dt>
      <dd className={join(tone !== undefined && styles[tone])}>
        {since && tone === "danger" && <TriangleAlert size={16} aria-hidden="true" />}
        {since && tone === "warn" && <AlarmClock size={16} aria-hidden="true" />}
        <b>{children}</b> {rest !== undefined && <span>{rest}</span>}
      </dd>
    </div>
  );
}

export function FigureStrip({ figures }: { figures: Figures }) {
  const t = useT();
  const now = useRelayNow();
  const { warn_s, red_s } = useCompany((state) => state.company.attention);
  const tone = (since: number | null) => {
    if (since === null || now - since < warn_s * 1_000) return undefined;
    return now - since < red_s * 1_000 ? "warn" : "danger";
  };
  const waited = (since: number | null) =>
    since === null ? t("floor.none") : clock(Math.max(0, now - since));
  return (
    <dl className={styles.strip}>
      <Figure
        name="agents"
        label={t("floor.figure_agents")}
        rest={t("floor.of", { count: figures.agents })}
      >
        {figures.online}
      </Figure>
      <Figure
        name="running"
        label={t("floor.figure_running")}
        rest={t("floor.of_places", { count: figures.places })}
      >
        {figures.running}
      </Figure>
      <Figure
        name="waiting"
        label={t("floor.figure_waiting")}
        tone={figures.waiting > 0 ? "warn" : undefined}
      >
        {figures.waiting}
      </Figure>
      <Figure
        since
        name="longest-wait"
        label={t("floor.figure_longest_wait")}
        tone={tone(figures.waitingSince)}
      >
        {waited(figures.waitingSince)}
      </Figure>
      <Figure
        since
        name="unanswered"
        label={t("floor.figure_unanswered")}
        tone={tone(figures.unansweredSince)}
      >
        {waited(figures.unansweredSince)}
      </Figure>
      <Figure name="first-response" label={t("floor.figure_first_response")}>
        {responseText(t, figures.firstResponseMs)}
      </Figure>
    </dl>
  );
}
