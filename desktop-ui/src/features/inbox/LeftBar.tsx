// 快捷关闭 (C16): how many visitors left, and one click that ends all of those conversations. It stands
// below the list, so that a visitor who only turns a page moves no row.

import { Button } from "antd";
import { useState } from "react";
import { useT } from "../../i18n";
import { closeAllLeft, useLeft } from "../../stores/inbox";
import styles from "./LeftBar.module.css";

export function LeftBar() {
  const t = useT();
  const count = useLeft();
  const [closing, setClosing] = useState(false);
  if (count === 0) return null;

  async function close() {
    setClosing(true);
    await closeAllLeft();
    setClosing(false);
  }

  return (
    <div className={styles.bar} data-testid="left-bar">
      <span>{t("workbench.left_count", { count })}</span>
      <Button
        type="text"
        size="small"
        className={styles.close ?? ""}
        title={t("workbench.left_close_title", { count })}
        loading={closing}
        data-testid="close-all-left"
        onClick={() => void close()}
      >
        {t("workbench.left_close")}
      </Button>
    </div>
  );
}
