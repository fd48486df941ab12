// 在线 and 忙碌 in one click, each with what follows from it. Shape and word tell them apart, not
// only colour.

import { Check, ChevronDown } from "lucide-react";
import type { Availability } from "../../../../shared/bindings/Availability";
import type { OwnCard } from "../../../../shared/bindings/OwnCard";
import { useT } from "../../i18n";
import { setAvailability } from "../../stores/session";
import { join } from "../../ui/join";
import { Menu } from "../../ui/Menu";
import styles from "./TitleParts.module.css";

const CHOICES: readonly Availability[] = ["online", "busy"];

export function PresenceDot({ availability }: { availability: Availability }) {
  return <span className={join(styles.dot, styles[availability])} aria-hidden="true" />;
}

export function PresenceSwitch({ own }: { own: OwnCard }) {
  const t = useT();
  const word = t(`workbench.presence_${own.availability}`);
  return (
    <Menu
      items={CHOICES.map((choice) => ({
        key: choice,
        label: (
          <div className={styles.choice} data-testid={`presence-${choice}`}>
            <PresenceDot availability={choice} />
            <div>
              <b>{t(`workbench.presence_${choice}`)}</b>
              <p>{t(`workbench.presence_${choice}_means`, { count: own.capacity })}</p>
            </div>
            {choice === own.availability && <Check size={16} aria-hidden="true" />}
          </div>
        ),
      }))}
      selected={own.availability}
      onChoose={(key) => {
        if (key !== own.availability) void setAvailability(key as Availability);
      }}
    >
      <button
        type="button"
        className={styles.presence}
        data-testid="presence"
        data-availability={own.availability}
        aria-haspopup="menu"
        aria-label={t("workbench.presence_is", { state: word })}
      >
        <PresenceDot availability={own.availability} />
        {word}
        <ChevronDown size={14} aria-hidden="true" />
      </button>
    </Menu>
  );
}
