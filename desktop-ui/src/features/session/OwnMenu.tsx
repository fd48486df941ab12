// The own card in the title row, and what one does with the own account.

import { Bell, ChevronDown, KeyRound, LogOut, Zap } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import type { OwnCard } from "../../../../shared/bindings/OwnCard";
import { useT } from "../../i18n";
import { signOut } from "../../stores/session";
import { Avatar, initials } from "../../ui/Avatar";
import { Menu } from "../../ui/Menu";
import styles from "./TitleParts.module.css";

const AttentionDialog = lazy(() => import("../attention/AttentionDialog"));
const OwnWords = lazy(() => import("../manage/OwnWords"));
const PasswordDialog = lazy(() => import("./PasswordDialog"));

export function OwnMenu({ own, server }: { own: OwnCard; server: string }) {
  const t = useT();
  const [changing, setChanging] = useState(false);
  const [alerts, setAlerts] = useState(false);
  const [writing, setWriting] = useState(false);
  return (
    <>
      <Menu
        items={[
          {
            key: "who",
            type: "group",
            label: (
              <div className={styles.who}>
                <b>{own.account}</b>
                <span>{t(`workbench.role_${own.role}`)}</span>
                <span>{server}</span>
              </div>
            ),
          },
          { type: "divider" },
          {
            key: "own-words",
            icon: <Zap size={16} />,
            label: <span data-testid="own-words-open">{t("manage.own_words")}</span>,
            onClick: () => setWriting(true),
          },
          {
            key: "attention",
            icon: <Bell size={16} />,
            label: <span data-testid="attention-open">{t("attention.title")}</span>,
            onClick: () => setAlerts(true),
          },
          {
            key: "password",
            icon: <KeyRound size={16} />,
            label: <span data-testid="change-password">{t("workbench.change_password")}</span>,
            onClick: () => setChanging(true),
          },
          {
            key: "sign-out",
            icon: <LogOut size={16} />,
            label: <span data-testid="sign-out">{t("workbench.sign_out")}</span>,
            onClick: () => void signOut(),
          },
        ]}
      >
        <button
          type="button"
          className={styles.own}
          data-testid="account-menu"
          aria-haspopup="menu"
        >
          <Avatar letters={initials(own.nickname)} seed={own.id} size={28} />
          <span className={styles.name}>{own.nickname}</span>
          <span className="visually-hidden">{t("workbench.account_menu")}</span>
          <ChevronDown size={14} aria-hidden="true" />
        </button>
      </Menu>
      {writing && (
        <Suspense>
          <OwnWords own={own} onClose={() => setWriting(false)} />
        </Suspense>
      )}
      {alerts && (
        <Suspense>
          <AttentionDialog onClose={() => setAlerts(false)} />
        </Suspense>
      )}
      {changing && (
        <Suspense>
          <PasswordDialog account={own.account} onClose={() => setChanging(false)} />
        </Suspense>
      )}
    </>
  );
}
