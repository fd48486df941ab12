// The whole window: which screen stands there, in which language and theme.

import { ConfigProvider } from "antd";
import enUS from "antd/locale/en_US";
import zhCN from "antd/locale/zh_CN";
import { lazy, Suspense, useEffect, useMemo } from "react";
import { Attention } from "../features/attention/Attention";
import { HostBanner } from "../features/connection/HostBanner";
import { Notices } from "../features/notices/Notices";
import { localeFor, setLocale, useLocale, useT } from "../i18n";
import { useAttention } from "../stores/attention";
import { useUnreadTotal } from "../stores/inbox";
import { usePreferences } from "../stores/preferences";
import { useSession } from "../stores/session";
import { themeFor } from "../styles/theme";
import { Boundary } from "../ui/Boundary";
import { Mark } from "../ui/Mark";
import { useMedia } from "../ui/useMedia";
import styles from "./App.module.css";
import { Broken } from "./Broken";
import { WorkbenchView } from "./WorkbenchView";

const SignInView = lazy(() => import("./SignInView"));

/** The nonce that the page was served with; antd puts its styles under it. */
function styleNonce(): string {
  return document.querySelector<HTMLStyleElement>("#csp-nonce")?.nonce ?? "";
}

/** Before the title while something asks for a look that nobody gave. */
const ASKS = { calm: "● ", warn: "● ", alarm: "‼ " } as const;

const csp = { nonce: styleNonce() };
/** No blank between the two characters of 发送: it is one word. */
const button = { autoInsertSpace: false };

export function App() {
  const { locale: wanted, theme } = usePreferences((state) => state.preferences);
  const locale = useLocale();
  const t = useT();
  const unread = useUnreadTotal();
  const asking = useAttention((state) => state.asking);
  const systemDark = useMedia("(prefers-color-scheme: dark)");
  const still = useMedia("(prefers-reduced-motion: reduce)");
  const dark = theme === "dark" || (theme === "system" && systemDark);

  useEffect(() => setLocale(localeFor(wanted, navigator.languages)), [wanted]);
  useEffect(() => {
    document.documentElement.lang = locale;
    const count = unread > 0 ? `(${unread}) ` : "";
    document.title = `${asking === null ? "" : ASKS[asking]}${count}${t("common.product")}`;
  }, [locale, t, unread, asking]);
  useEffect(() => {
    document.documentElement.dataset.theme = dark ? "dark" : "light";
  }, [dark]);
  const antd = useMemo(() => themeFor(dark ? "dark" : "light", still), [dark, still]);

  return (
    <ConfigProvider locale={locale === "en" ? enUS : zhCN} theme={antd} csp={csp} button={button}>
      <div className={styles.window}>
        <HostBanner />
        <Boundary instead={<Broken />}>
          <Screen />
        </Boundary>
      </div>
      <Notices />
    </ConfigProvider>
  );
}

function Screen() {
  const session = useSession((state) => state.session);
  if (session === null) return <Splash />;
  if (session.kind === "signed_in") {
    return (
      <>
        <Attention />
        <WorkbenchView own={session.own} server={session.server} />
      </>
    );
  }
  return (
    <Suspense fallback={<Splash />}>
      <SignInView
        form={session.form}
        notice={session.kind === "signed_out" ? session.notice : null}
        busy={session.kind === "signing_in"}
      />
    </Suspense>
  );
}

function Splash() {
  return (
    <div className={styles.splash}>
      <Mark size={56} />
    </div>
  );
}
