// Light, dark, or as the system.

import { Monitor, Moon, Sun } from "lucide-react";
import type { Theme } from "../../../../shared/bindings/ui/Theme";
import { useT } from "../../i18n";
import { setPreferences, usePreferences } from "../../stores/preferences";
import { IconButton } from "../../ui/IconButton";
import { Menu } from "../../ui/Menu";

const ICONS = { light: Sun, dark: Moon, system: Monitor } as const;
const THEMES: readonly Theme[] = ["light", "dark", "system"];

export function ThemeMenu() {
  const t = useT();
  const theme = usePreferences((state) => state.preferences.theme);
  const Icon = ICONS[theme];
  return (
    <Menu
      placement="bottomRight"
      items={THEMES.map((key) => {
        const Choice = ICONS[key];
        return { key, icon: <Choice size={16} />, label: t(`workbench.theme_${key}`) };
      })}
      selected={theme}
      onChoose={(key) => setPreferences({ theme: key as Theme })}
    >
      <IconButton label={t("workbench.theme")} data-testid="theme" aria-haspopup="menu">
        <Icon size={18} aria-hidden="true" />
      </IconButton>
    </Menu>
  );
}
