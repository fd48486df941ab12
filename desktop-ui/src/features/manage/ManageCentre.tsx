// 管理中心.

import { useT } from "../../i18n";

export function ManageCentre() {
  const t = useT();
  return <main data-testid="manage">{t("manage.title")}</main>;
}
