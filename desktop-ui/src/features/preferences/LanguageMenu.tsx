// Which language the workbench speaks. Each language is named in itself.

import { Languages } from "lucide-react";
import { useLocale, useT } from "../../i18n";
import { setPreferences, usePreferences } from "../../stores/preferences";
import { IconButton } from "../../ui/IconButton";
import { Menu } from "../../ui/Menu";

const SYSTEM = "system";

export function LanguageMenu() {
  const t = useT();
  const locale = useLocale();
  const short = t(locale === "en" ? "common.english_short" : "common.chinese_short");
  const chosen = usePreferences((state) => state.preferences.locale);
  return (
    <Menu
      placement="bottomRight"
      items={[
        { key: "zh-CN", label: t("common.chinese") },
        { key: "en", label: t("common.english") },
        { key: SYSTEM, label: t("common.as_system") },
      ]}
      selected={chosen === "" ? SYSTEM : chosen}
      onChoose={(key) => setPreferences({ locale: key === SYSTEM ? "" : key })}
    >
      <IconButton
        label={`${t("workbench.language")} ${short}`}
        data-testid="language"
        aria-haspopup="menu"
      >
        <Languages size={18} aria-hidden="true" />
        {short}
      </IconButton>
    </Menu>
  );
}
