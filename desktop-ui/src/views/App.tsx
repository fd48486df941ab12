// The whole window: which screen stands there, in which language and theme.

import { ConfigProvider } from "antd";
import enUS from "antd/locale/en_US";
import zhCN from "antd/locale/zh_CN";
import { lazy, Suspense, useEffect, useMemo } from "react";
import { HostBanner } from "../features/connection/HostBanner";
import { Notices } from "../features/notices/Notices";
import { localeFor, setLocale, useLocale, useT } from "../i18n";
import { usePreferences } from "../stores/preferences";
import { useSession } from "../stores/session";
import { themeFor } from "../styles/theme";
import { Mark } from "../ui/Mark";
import { useMedia } from "../ui/useMedia";
import styles from "./App.module.css";
import { WorkbenchView } from "./WorkbenchView";

const SignInView = lazy(() => import("./SignInView"));

/** The nonce that the page was served with; antd puts its styles under it. */
function styleNonce(): string {
  return document.querySelector<HTMLStyleElement>("#csp-nonce")?.nonce ?? "";
}

const csp = { nonce: styleNonce() };
/** No blank between the two characters of 发送: it is one word. */
const button = { autoInsertSpace: false };

export function App() {
  const { locale: wanted, theme } = usePreferences((state) => state.preferences);
  const locale = useLocale();
  const t = useT();
  const systemDark = useMedia("(prefers-color-scheme: dark)");
  const still = useMedia("(prefers-reduced-motion: reduce)");
  const dark = theme === "dark" || (theme === "system" && systemDark);

  useEffect(() => setLocale(localeFor(wanted, navigator.languages)), [wanted]);
  useEffect(() => {
    document.documentElement.lang = locale;
    document.title = t("common.product");
  }, [locale, t]);
  useEffect(() => {
    document.documentElement.dataset.theme = dark ? "dark" : "light";
  }, [dark]);
  const antd = useMemo(() => themeFor(dark ? "dark" : "light", still), [dark, still]);

  return (
    <ConfigProvider locale={locale === "en" ? enUS : zhCN} theme={antd} csp={csp} button={button}>
      <div className={styles.window}>
        <HostBanner />
        <Screen />
      </div>
      <Notices />
    </ConfigProvider>
  );
}

function Screen() {
  const session = useSession((state) => state.session);
  if (session === null) return <Splash />;
  if (session.kind === "signed_in") {
    return <WorkbenchView own={session.own} server={session.server} />;
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
