// What stands instead of a screen that could not be drawn.

import { Button } from "antd";
import { CircleAlert } from "lucide-react";
import { useT } from "../i18n";
import { Empty } from "../ui/Empty";

export function Broken() {
  const t = useT();
  return (
    <Empty
      icon={<CircleAlert size={26} />}
      title={t("workbench.broken")}
      text={t("workbench.broken_text")}
      action={
        <Button type="primary" onClick={() => window.location.reload()}>
          {t("workbench.broken_reload")}
        </Button>
      }
    />
  );
}
