// The title row: who I am, whether I take visitors, how full I am, and whether the link holds.

import type { OwnCard } from "../../../shared/bindings/OwnCard";
import { ConnectionLine } from "../features/connection/ConnectionLine";
import { LanguageMenu } from "../features/preferences/LanguageMenu";
import { ThemeMenu } from "../features/preferences/ThemeMenu";
import { Alerts } from "../features/queue/Alerts";
import { Capacity } from "../features/session/Capacity";
import { OwnMenu } from "../features/session/OwnMenu";
import { PresenceSwitch } from "../features/session/PresenceSwitch";
import { useT } from "../i18n";
import { Mark } from "../ui/Mark";
import styles from "./TitleRow.module.css";

export function TitleRow({ own, server }: { own: OwnCard; server: string }) {
  const t = useT();
  return (
    <header className={styles.row}>
      <div className={styles.mark}>
        <Mark size={28} />
        <h1 className="visually-hidden">{t("common.product")}</h1>
      </div>
      <OwnMenu own={own} server={server} />
      <PresenceSwitch own={own} />
      <Capacity capacity={own.capacity} />
      <div className={styles.space} />
      <ConnectionLine />
      <span className={styles.rule} />
      <LanguageMenu />
      <ThemeMenu />
      {own.role !== "agent" && <Alerts />}
    </header>
  );
}
