// Changes the own password. The new one is typed twice, because nobody can read it back.

import { Button, Input } from "antd";
import { type FormEvent, useId, useState } from "react";
import { useT } from "../../i18n";
import { problemText } from "../../i18n/words";
import { confirm } from "../../stores/notices";
import type { Problem } from "../../stores/problem";
import { changePassword } from "../../stores/session";
import { Dialog, DialogActions } from "../../ui/Dialog";
import { Note } from "../../ui/Note";
import styles from "./SignInForm.module.css";

/** As the relay demands (limits of the protocol). */
const PASSWORD_CHARS_MIN = 8;

interface PasswordDialogProps {
  account: string;
  onClose: () => void;
}

export default function PasswordDialog({ account, onClose }: PasswordDialogProps) {
  const t = useT();
  const id = useId();
  const [before, setBefore] = useState("");
  const [after, setAfter] = useState("");
  const [again, setAgain] = useState("");
  const [trying, setTrying] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);

  const short = after !== "" && [...after].length < PASSWORD_CHARS_MIN;
  const differs = again !== "" && again !== after;
  const ready = before !== "" && after !== "" && again === after && !short;

  async function onSubmit(event: FormEvent) {
    event.preventDefault();
    if (!ready || trying) return;
    setTrying(true);
    const failed = await changePassword(before, after);
    setTrying(false);
    setProblem(failed);
    if (failed === null) {
      confirm("workbench.password_changed");
      onClose();
    }
  }

  return (
    <Dialog title={t("workbench.change_password")} closeLabel={t("common.close")} onClose={onClose}>
      <form className={styles.form} onSubmit={onSubmit}>
        <input type="text" autoComplete="username" value={account} readOnly hidden />
        <div className={styles.field}>
          <label htmlFor={`${id}-before`}>{t("workbench.password_now")}</label>
          <Input.Password
            id={`${id}-before`}
            data-testid="password-now"
            autoComplete="current-password"
            value={before}
            onChange={(event) => setBefore(event.target.value)}
          />
        </div>
        <div className={styles.field}>
          <label htmlFor={`${id}-after`}>{t("workbench.password_new")}</label>
          <Input.Password
            id={`${id}-after`}
            data-testid="password-new"
            autoComplete="new-password"
            status={short ? "error" : ""}
            aria-describedby={`${id}-rule`}
            value={after}
            onChange={(event) => setAfter(event.target.value)}
          />
          <p id={`${id}-rule`} className={short ? styles.error : styles.hint}>
            {t("workbench.password_rule", { count: PASSWORD_CHARS_MIN })}
          </p>
        </div>
        <div className={styles.field}>
          <label htmlFor={`${id}-again`}>{t("workbench.password_again")}</label>
          <Input.Password
            id={`${id}-again`}
            data-testid="password-again"
            autoComplete="new-password"
            status={differs ? "error" : ""}
            value={again}
            onChange={(event) => setAgain(event.target.value)}
          />
          {differs && <p className={styles.error}>{t("workbench.password_differs")}</p>}
        </div>
        <p className={styles.hint}>{t("workbench.password_consequence")}</p>
        <div role="alert">
          {problem !== null && (
            <Note tone="danger">
              {problem.code === "wrong_credentials"
                ? t("workbench.password_now_wrong")
                : problemText(t, problem)}
            </Note>
          )}
        </div>
        <DialogActions>
          <Button onClick={onClose}>{t("common.cancel")}</Button>
          <Button
            type="primary"
            htmlType="submit"
            disabled={!ready}
            loading={trying}
            data-testid="password-submit"
          >
            {t("workbench.change_password")}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
