// The sign-in form: server, account, password, what to remember. It says what is wrong beside the
// fields, keeps everything typed, and warns before a password would travel unencrypted.

import { Button, Checkbox, Input, type InputRef } from "antd";
import { LockKeyholeOpen } from "lucide-react";
import { type FormEvent, type ReactNode, useEffect, useId, useRef, useState } from "react";
import type { SignedOutNotice } from "../../../../shared/bindings/ui/SignedOutNotice";
import type { SignInForm as Filled } from "../../../../shared/bindings/ui/SignInForm";
import { useT } from "../../i18n";
import { problemText } from "../../i18n/words";
import type { Problem } from "../../stores/problem";
import { forgetPassword, isPlainHttp, serverAddress, signIn } from "../../stores/session";
import { Note } from "../../ui/Note";
import styles from "./SignInForm.module.css";

interface SignInFormProps {
  filled: Filled;
  notice: SignedOutNotice | null;
  /** Signing in by itself with what was remembered. */
  busy: boolean;
}

type Missing = "server" | "account" | "password" | null;

export function SignInForm({ filled, notice, busy }: SignInFormProps) {
  const t = useT();
  const [server, setServer] = useState(filled.server);
  const [account, setAccount] = useState(filled.account);
  const [password, setPassword] = useState("");
  const [keep, setKeep] = useState(filled.password_remembered);
  const [auto, setAuto] = useState(false);
  const [trying, setTrying] = useState(false);
  const [missing, setMissing] = useState<Missing>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const serverField = useRef<InputRef>(null);
  const accountField = useRef<InputRef>(null);
  const passwordField = useRef<InputRef>(null);

  const fieldOf = { server: serverField, account: accountField, password: passwordField };

  const remembered =
    filled.password_remembered && server === filled.server && account === filled.account;
  const working = trying || busy;
  const plain = isPlainHttp(server);

  // Only once: later the person decides where the cursor is.
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above
  useEffect(() => {
    const first =
      filled.server === "" ? serverField : filled.account === "" ? accountField : passwordField;
    first.current?.focus();
  }, []);

  useEffect(() => {
    if (problem?.code === "wrong_credentials") passwordField.current?.select();
    if (problem?.kind === "bad_address") serverField.current?.focus();
  }, [problem]);

  async function attempt(allowPlainHttp: boolean) {
    const empty: Missing =
      server.trim() === ""
        ? "server"
        : account.trim() === ""
          ? "account"
          : password === "" && !remembered
            ? "password"
            : null;
    setMissing(empty);
    setProblem(null);
    if (empty !== null) {
      fieldOf[empty].current?.focus();
      return;
    }
    setTrying(true);
    const failed = await signIn({
      server: serverAddress(server),
      account: account.trim(),
      password,
      remember: auto ? "auto_sign_in" : keep ? "password" : "nothing",
      allow_plain_http: allowPlainHttp,
    });
    setTrying(false);
    setProblem(failed);
  }

  function onSubmit(event: FormEvent) {
    event.preventDefault();
    if (!working) void attempt(false);
  }

  const noticeWords = notice === null ? null : t(`workbench.signed_out_${notice}`);

  return (
    <form className={styles.form} onSubmit={onSubmit} noValidate>
      {noticeWords !== null && problem === null && <Note tone="warn">{noticeWords}</Note>}
      <Field
        label={t("workbench.server")}
        error={missing === "server" ? t("workbench.server_missing") : null}
        hint={t("workbench.server_hint")}
      >
        {(field) => (
          <Input
            {...field}
            ref={serverField}
            data-testid="sign-in-server"
            size="large"
            inputMode="url"
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
            placeholder="https://chat.example.com"
            value={server}
            readOnly={working}
            onChange={(event) => setServer(event.target.value)}
          />
        )}
      </Field>
      <Field
        label={t("workbench.account")}
        error={missing === "account" ? t("workbench.account_missing") : null}
      >
        {(field) => (
          <Input
            {...field}
            ref={accountField}
            data-testid="sign-in-account"
            size="large"
            autoComplete="username"
            autoCapitalize="off"
            spellCheck={false}
            value={account}
            readOnly={working}
            onChange={(event) => setAccount(event.target.value)}
          />
        )}
      </Field>
      <Field
        label={t("workbench.password")}
        error={missing === "password" ? t("workbench.password_missing") : null}
      >
        {(field) => (
          <Input.Password
            {...field}
            ref={passwordField}
            data-testid="sign-in-password"
            size="large"
            autoComplete="current-password"
            placeholder={remembered ? t("workbench.password_remembered") : ""}
            value={password}
            readOnly={working}
            onChange={(event) => setPassword(event.target.value)}
          />
        )}
      </Field>
      <div className={styles.remember}>
        <Checkbox
          data-testid="sign-in-remember"
          checked={keep || auto}
          disabled={working || !filled.can_remember}
          onChange={(event) => {
            setKeep(event.target.checked);
            if (event.target.checked) return;
            setAuto(false);
            if (filled.password_remembered) void forgetPassword();
          }}
        >
          {t("workbench.remember_password")}
        </Checkbox>
        <Checkbox
          data-testid="sign-in-auto"
          checked={auto}
          disabled={working || !filled.can_remember}
          onChange={(event) => {
            setAuto(event.target.checked);
            if (event.target.checked) setKeep(true);
          }}
        >
          {t("workbench.sign_in_by_itself")}
        </Checkbox>
      </div>
      {!filled.can_remember && <p className={styles.hint}>{t("workbench.cannot_remember")}</p>}
      <div role="alert">
        {problem !== null && problem.kind !== "plain_http" && (
          <Note tone="danger" testId="sign-in-error">
            {problemText(t, problem)}
          </Note>
        )}
        {problem?.kind === "plain_http" && (
          <Note
            tone="warn"
            icon={<LockKeyholeOpen size={16} aria-hidden="true" />}
            action={
              <Button
                size="small"
                data-testid="sign-in-plain-http"
                onClick={() => void attempt(true)}
              >
                {t("workbench.plain_http_go_on")}
              </Button>
            }
          >
            {t("workbench.plain_http_warning")}
          </Note>
        )}
      </div>
      {plain && problem === null && noticeWords === null && (
        <Note tone="warn" icon={<LockKeyholeOpen size={16} aria-hidden="true" />}>
          {t("workbench.plain_http_note")}
        </Note>
      )}
      <Button
        type="primary"
        size="large"
        block
        htmlType="submit"
        loading={working}
        data-testid="sign-in-submit"
      >
        {working ? t("workbench.signing_in") : t("workbench.sign_in")}
      </Button>
    </form>
  );
}

interface FieldProps {
  label: string;
  error: string | null;
  hint?: string;
  children: (field: {
    id: string;
    status: "" | "error";
    "aria-describedby": string;
    "aria-invalid": boolean;
  }) => ReactNode;
}

/** A label, its input and what is wrong with it, tied together for screen readers. */
function Field({ label, error, hint, children }: FieldProps) {
  const id = useId();
  const note = `${id}-note`;
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      {children({
        id,
        status: error === null ? "" : "error",
        "aria-describedby": note,
        "aria-invalid": error !== null,
      })}
      <p id={note} className={error === null ? styles.hint : styles.error}>
        {error ?? hint}
      </p>
    </div>
  );
}
