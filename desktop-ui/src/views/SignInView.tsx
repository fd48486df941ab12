// The sign-in screen: what this is on the left, the form on the right; narrow windows show the form
// alone.

import type { SignedOutNotice } from "../../../shared/bindings/ui/SignedOutNotice";
import type { SignInForm as Filled } from "../../../shared/bindings/ui/SignInForm";
import { LanguageMenu } from "../features/preferences/LanguageMenu";
import { ThemeMenu } from "../features/preferences/ThemeMenu";
import { SignInForm } from "../features/session/SignInForm";
import { useT } from "../i18n";
import { Mark } from "../ui/Mark";
import styles from "./SignInView.module.css";

interface SignInViewProps {
  form: Filled;
  notice: SignedOutNotice | null;
  busy: boolean;
}

export default function SignInView({ form, notice, busy }: SignInViewProps) {
  const t = useT();
  return (
    <div className={styles.view}>
      <header className={styles.brand}>
        <div className={styles.brandmark}>
          <Mark size={72} />
        </div>
        <p className={styles.product}>{t("common.product")}</p>
        <p className={styles.promise}>{t("workbench.promise")}</p>
        <div className={styles.backdrop} aria-hidden="true">
          <Mark size={420} />
        </div>
      </header>
      <main className={styles.main}>
        <div className={styles.tools}>
          <LanguageMenu />
          <ThemeMenu />
        </div>
        <div className={styles.card}>
          <h1>{t("workbench.sign_in_title")}</h1>
          <p className={styles.lead}>{t("workbench.sign_in_lead")}</p>
          <SignInForm
            key={`${form.server} ${form.account}`}
            filled={form}
            notice={notice}
            busy={busy}
          />
        </div>
      </main>
    </div>
  );
}
