// 提醒: how one is told of what waits. A change holds at once.

import { Button, Switch } from "antd";
import { useId } from "react";
import { useT } from "../../i18n";
import { setAlerts } from "../../stores/attention";
import { usePreferences } from "../../stores/preferences";
import { Dialog } from "../../ui/Dialog";
import styles from "./AttentionDialog.module.css";
import { play } from "./sound";

type Choice = "sound" | "notifications" | "do_not_disturb";
const CHOICES: readonly Choice[] = ["sound", "notifications", "do_not_disturb"];

export default function AttentionDialog({ onClose }: { onClose: () => void }) {
  const t = useT();
  const id = useId();
  const alerts = usePreferences((state) => state.preferences.alerts);
  return (
    <Dialog title={t("attention.title")} closeLabel={t("common.close")} onClose={onClose}>
      <div data-testid="attention-dialog">
        {CHOICES.map((choice) => (
          <div key={choice} className={styles.choice}>
            <label htmlFor={`${id}-${choice}`}>
              <b>{t(`attention.${choice}`)}</b>
              <span>{t(`attention.${choice}_means`)}</span>
            </label>
            <Switch
              id={`${id}-${choice}`}
              data-testid={`attention-${choice}`}
              checked={alerts[choice]}
              onChange={(on) => setAlerts({ [choice]: on })}
            />
          </div>
        ))}
        <div className={styles.choice}>
          <label htmlFor={`${id}-volume`}>
            <b>{t("attention.volume")}</b>
          </label>
          <input
            id={`${id}-volume`}
            type="range"
            min={0}
            max={100}
            step={5}
            className={styles.volume}
            data-testid="attention-volume"
            disabled={!alerts.sound}
            value={alerts.volume}
            onChange={(event) => setAlerts({ volume: event.target.valueAsNumber })}
          />
          <Button
            size="small"
            disabled={!alerts.sound}
            data-testid="attention-try"
            onClick={() => void play("calm", alerts.volume)}
          >
            {t("attention.try")}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
