// The rail of modules. A module stands here when it exists and the role may open it; Ctrl and its
// place open it from the keyboard.

import { Gauge, type LucideIcon, MessageCircleMore, Settings } from "lucide-react";
import { useEffect } from "react";
import type { Role } from "../../../shared/bindings/Role";
import { useT } from "../i18n";
import { useUnreadTotal } from "../stores/inbox";
import { type Module, modulesOf, showModule } from "../stores/modules";
import styles from "./Rail.module.css";

/** Counts above this say no more than "many". */
const SHOWN_MAX = 99;

const ICONS: Record<Module, LucideIcon> = {
  reception: MessageCircleMore,
  floor: Gauge,
  manage: Settings,
};

/** Which module a key press asks for. */
function asked(event: KeyboardEvent, modules: readonly Module[]): Module | undefined {
  const plain = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
  return plain && /^[1-9]$/.test(event.key) ? modules[Number(event.key) - 1] : undefined;
}

export function Rail({ role, module: current }: { role: Role; module: Module }) {
  const t = useT();
  const unread = useUnreadTotal();
  const modules = modulesOf(role);

  useEffect(() => {
    function onKeyDown(event: KeyboardEvent) {
      const module = asked(event, modulesOf(role));
      if (module === undefined) return;
      event.preventDefault();
      showModule(module);
    }
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, [role]);

  return (
    <nav className={styles.rail} aria-label={t("workbench.modules")}>
      {modules.map((module, at) => {
        const Icon = ICONS[module];
        return (
          <button
            key={module}
            type="button"
            className={styles.item}
            aria-current={module === current ? "page" : undefined}
            aria-keyshortcuts={`Control+${at + 1}`}
            title={`${t(`workbench.module_${module}`)} (Ctrl+${at + 1})`}
            data-testid={`module-${module}`}
            onClick={() => showModule(module)}
          >
            <span className={styles.icon}>
              <Icon size={20} strokeWidth={1.75} aria-hidden="true" />
              {module === "reception" && unread > 0 && (
                <span className={styles.badge} data-testid="unread-total">
                  {unread > SHOWN_MAX ? `${SHOWN_MAX}+` : unread}
                  <span className="visually-hidden">
                    {t("workbench.unread", { count: unread })}
                  </span>
                </span>
              )}
            </span>
            {t(`workbench.module_${module}`)}
          </button>
        );
      })}
    </nav>
  );
}
