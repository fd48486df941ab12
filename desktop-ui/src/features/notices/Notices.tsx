// The corner where short notices stand: read out politely, closed by hand or by themselves.

import { CircleAlert, CircleCheck, X } from "lucide-react";
import { useT } from "../../i18n";
import { problemText } from "../../i18n/words";
import { dismiss, holdNotices, useNotices } from "../../stores/notices";
import { IconButton } from "../../ui/IconButton";
import { join } from "../../ui/join";
import styles from "./Notices.module.css";

export function Notices() {
  const t = useT();
  const notices = useNotices((state) => state.notices);
  return (
    <div
      className={styles.corner}
      role="status"
      aria-live="polite"
      onMouseEnter={() => holdNotices(true)}
      onMouseLeave={() => holdNotices(false)}
      onFocus={() => holdNotices(true)}
      onBlur={() => holdNotices(false)}
    >
      {notices.map(({ id, tone, text, values, problem }) => (
        <div key={id} className={join(styles.notice, styles[tone])} data-testid="notice">
          {tone === "danger" ? (
            <CircleAlert size={18} aria-hidden="true" />
          ) : (
            <CircleCheck size={18} aria-hidden="true" />
          )}
          <div>
            {text !== null && <p className={styles.what}>{t(text, values)}</p>}
            {problem !== null && <p>{problemText(t, problem)}</p>}
          </div>
          <IconButton label={t("common.close")} onClick={() => dismiss(id)}>
            <X size={16} aria-hidden="true" />
          </IconButton>
        </div>
      ))}
    </div>
  );
}
