// Which language the workbench speaks. Each language is named in itself.

import { Dropdown } from "antd";
import { Languages } from "lucide-react";
import { useLocale, useT } from "../../i18n";
import { setPreferences, usePreferences } from "../../stores/preferences";
import { IconButton } from "../../ui/IconButton";

const SYSTEM = "system";

export function LanguageMenu() {
  const t = useT();
  const locale = useLocale();
  const short = t(locale === "en" ? "common.english_short" : "common.chinese_short");
  const chosen = usePreferences((state) => state.preferences.locale);
  return (
    <Dropdown
      trigger={["click"]}
      autoFocus
      placement="bottomRight"
      menu={{
        items: [
          { key: "zh-CN", label: t("common.chinese") },
          { key: "en", label: t("common.english") },
          { key: SYSTEM, label: t("common.as_system") },
        ],
        selectable: true,
        selectedKeys: [chosen === "" ? SYSTEM : chosen],
        onClick: ({ key }) => setPreferences({ locale: key === SYSTEM ? "" : key }),
      }}
    >
      <IconButton
        label={`${t("workbench.language")} ${short}`}
        data-testid="language"
        aria-haspopup="menu"
      >
        <Languages size={18} aria-hidden="true" />
        {short}
      </IconButton>
    </Dropdown>
  );
}
