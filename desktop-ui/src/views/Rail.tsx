// The rail of modules. A module stands here when it exists.

import { MessageCircleMore } from "lucide-react";
import { useT } from "../i18n";
import { useUnreadTotal } from "../stores/inbox";
import styles from "./Rail.module.css";

/** Counts above this say no more than "many". */
const SHOWN_MAX = 99;

export function Rail() {
  const t = useT();
  const unread = useUnreadTotal();
  return (
    <nav className={styles.rail} aria-label={t("workbench.modules")}>
      <button type="button" className={styles.item} aria-current="page">
        <span className={styles.icon}>
          <MessageCircleMore size={20} strokeWidth={1.75} aria-hidden="true" />
          {unread > 0 && (
            <span className={styles.badge} data-testid="unread-total">
              {unread > SHOWN_MAX ? `${SHOWN_MAX}+` : unread}
              <span className="visually-hidden">{t("workbench.unread", { count: unread })}</span>
            </span>
          )}
        </span>
        {t("workbench.module_reception")}
      </button>
    </nav>
  );
}
