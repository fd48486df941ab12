// 在线, 忙碌 and 离开 in one click, each with what follows from it (B11, B12). Shape and word tell them
// apart, not only colour. 离开 with conversations running asks first: visitors are affected.

import { Check, ChevronDown } from "lucide-react";
import { lazy, Suspense, useEffect, useState } from "react";
import type { Availability } from "../../../../shared/bindings/Availability";
import type { OwnCard } from "../../../../shared/bindings/OwnCard";
import { useT } from "../../i18n";
import { useServing } from "../../stores/inbox";
import { onAwayAsked, setAvailability } from "../../stores/session";
import { Menu } from "../../ui/Menu";
import { PresenceDot } from "./PresenceDot";
import styles from "./TitleParts.module.css";

const CHOICES: readonly Availability[] = ["online", "busy", "away"];

const AwayDialog = lazy(() => import("./AwayDialog"));

export function PresenceSwitch({ own }: { own: OwnCard }) {
  const t = useT();
  const word = t(`workbench.presence_${own.availability}`);
  const serving = useServing();
  const [leaving, setLeaving] = useState(false);
  useEffect(() => onAwayAsked(() => setLeaving(true)), []);

  function choose(availability: Availability) {
    if (availability === own.availability) return;
    if (availability === "away" && serving > 0) setLeaving(true);
    else void setAvailability(availability);
  }

  return (
    <>
      <Menu
        items={CHOICES.map((choice) => ({
          key: choice,
          label: (
            <div className={styles.choice} data-testid={`presence-${choice}`}>
              <span className={styles.sign}>
                <PresenceDot presence={choice} />
              </span>
              <div>
                <b>{t(`workbench.presence_${choice}`)}</b>
                <p>{t(`workbench.presence_${choice}_means`, { count: own.capacity })}</p>
              </div>
              {choice === own.availability && <Check size={16} aria-hidden="true" />}
            </div>
          ),
        }))}
        selected={own.availability}
        onChoose={(key) => choose(key as Availability)}
      >
        <button
          type="button"
          className={styles.presence}
          data-testid="presence"
          data-availability={own.availability}
          aria-haspopup="menu"
          aria-label={t("workbench.presence_is", { state: word })}
        >
          <PresenceDot presence={own.availability} />
          {word}
          <ChevronDown size={14} aria-hidden="true" />
        </button>
      </Menu>
      {leaving && (
        <Suspense>
          <AwayDialog onClose={() => setLeaving(false)} />
        </Suspense>
      )}
    </>
  );
}
