// 离开 with conversations running (B11): it changes something for visitors, so it says how many and asks
// which way.

import { Button } from "antd";
import { CircleX, Undo2 } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useT } from "../../i18n";
import { useServing } from "../../stores/inbox";
import { setAvailability } from "../../stores/session";
import { Dialog, DialogActions } from "../../ui/Dialog";
import styles from "./AwayDialog.module.css";

export default function AwayDialog({ onClose }: { onClose: () => void }) {
  const t = useT();
  const count = useServing();
  const [going, setGoing] = useState(false);
  const stay = useRef<HTMLButtonElement>(null);
  // Nothing that touches a visitor is one Enter away.
  useEffect(() => stay.current?.focus(), []);

  async function go(handOver: boolean) {
    setGoing(true);
    await setAvailability("away", handOver);
    onClose();
  }

  return (
    <Dialog title={t("away.title")} closeLabel={t("common.close")} onClose={onClose}>
      <div className={styles.body} data-testid="away-dialog" data-count={count}>
        <p className={styles.running}>
          {count === 0 ? t("away.nothing_left") : t("away.running", { count })}
        </p>
        {count > 0 && (
          <>
            <button
              type="button"
              className={styles.way}
              disabled={going}
              data-testid="away-hand-over"
              onClick={() => void go(true)}
            >
              <Undo2 size={18} aria-hidden="true" />
              <span>
                <b>{t("away.hand_over")}</b>
                {t("away.hand_over_means")}
              </span>
            </button>
            <button
              type="button"
              className={`${styles.way} ${styles.ends}`}
              disabled={going}
              data-testid="away-end"
              onClick={() => void go(false)}
            >
              <CircleX size={18} aria-hidden="true" />
              <span>
                <b>{t("away.end")}</b>
                {t("away.end_means")}
              </span>
            </button>
          </>
        )}
        <DialogActions>
          <Button ref={stay} data-testid="away-stay" onClick={onClose}>
            {t("away.stay")}
          </Button>
          {count === 0 && (
            <Button
              type="primary"
              loading={going}
              data-testid="away-go"
              // What comes in this very moment goes back into the line, not to its end.
              onClick={() => void go(true)}
            >
              {t("away.go")}
            </Button>
          )}
        </DialogActions>
      </div>
    </Dialog>
  );
}
