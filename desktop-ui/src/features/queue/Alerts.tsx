// What managers are told of (B13): a bell with a number, and behind it the conversations that need
// somebody. Choosing one watches it.

import { Bell } from "lucide-react";
import { useLocale, useT } from "../../i18n";
import { timeOfDay } from "../../i18n/format";
import { useAlerts } from "../../stores/alerts";
import { useDepartmentName } from "../../stores/company";
import { watchConversation } from "../../stores/watch";
import { IconButton } from "../../ui/IconButton";
import { Menu } from "../../ui/Menu";
import styles from "./Queue.module.css";

export function Alerts() {
  const t = useT();
  const locale = useLocale();
  const alerts = useAlerts((state) => state.alerts);
  const departmentOf = useDepartmentName();
  const items =
    alerts.length === 0
      ? [
          {
            key: "none",
            type: "group" as const,
            label: (
              <span className={styles.noalerts}>
                <b>{t("workbench.alerts_none")}</b>
                {t("workbench.alerts_none_text")}
              </span>
            ),
          },
        ]
      : alerts.map((alert) => ({
          key: alert.conversation_id,
          label: (
            <span
              className={styles.alert}
              data-testid="alert"
              data-conversation-id={alert.conversation_id}
            >
              <b>
                {t("common.visitor_name", { label: alert.label })}
                {" · "}
                {t(`workbench.alert_${alert.what}`)}
              </b>
              <span>
                {timeOfDay(locale, alert.at)}
                {" · "}
                {departmentOf(alert.department_id)}
              </span>
            </span>
          ),
        }));
  return (
    <Menu placement="bottomRight" items={items} onChoose={(key) => void watchConversation(key)}>
      <IconButton
        label={
          alerts.length === 0
            ? t("workbench.alerts")
            : t("workbench.alerts_count", { count: alerts.length })
        }
        className={styles.bell}
        aria-haspopup="menu"
        data-testid="alerts"
        data-count={alerts.length}
      >
        <Bell size={18} aria-hidden="true" />
        {alerts.length > 0 && (
          <span className={styles.badge} aria-hidden="true">
            {alerts.length > 99 ? "99+" : alerts.length}
          </span>
        )}
      </IconButton>
    </Menu>
  );
}
