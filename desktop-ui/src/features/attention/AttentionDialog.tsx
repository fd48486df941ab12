// 提醒: how one is told of what waits. A change holds at once.

import { Button, Switch } from "antd";
import { type ReactNode, useId } from "react";
import type { AlertPreferences } from "../../../../shared/bindings/ui/AlertPreferences";
import type { QuietHours } from "../../../../shared/bindings/ui/QuietHours";
import { useT } from "../../i18n";
import { DAY_MINUTES } from "../../i18n/format";
import { setAlerts } from "../../stores/attention";
import { useNow } from "../../stores/clock";
import { usePreferences } from "../../stores/preferences";
import { Dialog } from "../../ui/Dialog";
import { TimeField } from "../../ui/TimeField";
import styles from "./AttentionDialog.module.css";
import { isQuiet, overMidnight } from "./quiet";
import { play } from "./sound";

export default function AttentionDialog({ onClose }: { onClose: () => void }) {
  const t = useT();
  const alerts = usePreferences((state) => state.preferences.alerts);
  return (
    <Dialog title={t("attention.title")} closeLabel={t("common.close")} onClose={onClose}>
      <div data-testid="attention-dialog">
        <Choice name="sound" alerts={alerts}>
          {alerts.sound && <Volume volume={alerts.volume} />}
        </Choice>
        <Choice name="notifications" alerts={alerts} />
        {alerts.notifications && <Choice name="message_text" alerts={alerts} />}
        <Choice name="do_not_disturb" alerts={alerts} />
        <Quiet hours={alerts.quiet_hours} />
      </div>
    </Dialog>
  );
}

type ChoiceName = "sound" | "notifications" | "message_text" | "do_not_disturb";

interface LineProps {
  name: ChoiceName | "quiet_hours";
  on: boolean;
  onChange: (on: boolean) => void;
  /** What belongs to it, below. */
  children?: ReactNode;
}

function Line({ name, on, onChange, children }: LineProps) {
  const t = useT();
  const id = useId();
  return (
    <section className={styles.choice}>
      <div className={styles.line}>
        <label htmlFor={id}>
          <b>{t(`attention.${name}`)}</b>
          <span>{t(`attention.${name}_means`)}</span>
        </label>
        <Switch id={id} data-testid={`attention-${name}`} checked={on} onChange={onChange} />
      </div>
      {children}
    </section>
  );
}

interface ChoiceProps {
  name: ChoiceName;
  alerts: AlertPreferences;
  children?: ReactNode;
}

function Choice({ name, alerts, children }: ChoiceProps) {
  return (
    <Line name={name} on={alerts[name]} onChange={(on) => setAlerts({ [name]: on })}>
      {children}
    </Line>
  );
}

function Volume({ volume }: { volume: number }) {
  const t = useT();
  const id = useId();
  return (
    <div className={styles.more}>
      <label htmlFor={id}>{t("attention.volume")}</label>
      <input
        id={id}
        type="range"
        min={0}
        max={100}
        step={5}
        className={styles.volume}
        data-testid="attention-volume"
        value={volume}
        onChange={(event) => setAlerts({ volume: event.target.valueAsNumber })}
      />
      <Button size="small" data-testid="attention-try" onClick={() => void play("calm", volume)}>
        {t("attention.try")}
      </Button>
    </div>
  );
}

const ENDS = ["from", "to"] as const;

function Quiet({ hours }: { hours: QuietHours }) {
  const t = useT();
  const now = useNow();
  const put = (change: Partial<QuietHours>) => setAlerts({ quiet_hours: { ...hours, ...change } });
  return (
    <Line name="quiet_hours" on={hours.on} onChange={(on) => put({ on })}>
      {hours.on && (
        <>
          <div className={styles.more}>
            {ENDS.map((end) => (
              <span key={end} className={styles.end}>
                {t(`attention.quiet_${end}`)}
                {end === "to" && overMidnight(hours) && (
                  <span className={styles.next}>{t("attention.quiet_next_day")}</span>
                )}
                <TimeField
                  label={t(`attention.quiet_${end}_label`)}
                  name={`attention-quiet-${end}`}
                  minutes={hours[`${end}_min`]}
                  wrong={false}
                  onChange={(minutes) => put({ [`${end}_min`]: minutes % DAY_MINUTES })}
                />
              </span>
            ))}
          </div>
          <p className={styles.state} role="status">
            {hours.from_min === hours.to_min
              ? t("attention.quiet_never")
              : isQuiet(hours, now) && t("attention.quiet_now")}
          </p>
        </>
      )}
    </Line>
  );
}
