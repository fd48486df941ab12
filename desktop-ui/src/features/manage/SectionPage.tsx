// The frame of a page that is one section: its title, whether it is saved, what stops it from being
// saved, and what somebody else did to it meanwhile. Ctrl+S saves.

import { Button } from "antd";
import { Check, CircleAlert, CircleDot } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useEffect, useRef } from "react";
import { useT } from "../../i18n";
import { problemText } from "../../i18n/words";
import { discard, draftOf, inConflict, save, useManage } from "../../stores/manage";
import type { Problem } from "../../stores/problem";
import type { SectionName } from "../../stores/sections";
import { Conflict } from "./Conflict";
import styles from "./SectionPage.module.css";

interface SectionPageProps {
  /** Before the title. */
  back?: ReactNode;
  section: SectionName;
  title: string;
  lead?: string;
  /** How many places must be put right before it can be saved. */
  problems: number;
  /** Beside save and discard. */
  actions?: ReactNode;
  children: ReactNode;
}

export function SectionPage(props: SectionPageProps) {
  const { back, section, title, lead, problems, actions, children } = props;
  const t = useT();
  const draft = useManage((state) => draftOf(state.drafts, section));
  const saved = useManage((state) => state.saved === section);
  const conflict = useManage(
    ({ settings, drafts }) =>
      settings !== null && inConflict(settings, section, draftOf(drafts, section)),
  );
  const dirty = draft !== undefined;
  const ready = dirty && problems === 0 && !conflict;

  const mayNow = useRef(ready);
  useEffect(() => {
    mayNow.current = ready;
  }, [ready]);

  function onKeyDown(event: KeyboardEvent) {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "s") return;
    event.preventDefault();
    // A field that is read when it is left is read now; what it says counts.
    const field = event.target instanceof HTMLElement ? event.target : null;
    field?.blur();
    field?.focus();
    window.setTimeout(() => {
      if (mayNow.current) void save(section);
    });
  }

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Ctrl+S saves from anywhere inside
    <div className={styles.page} data-testid={`page-${section}`} onKeyDown={onKeyDown}>
      <header className={styles.head}>
        {back}
        <h2>{title}</h2>
        <div className={styles.state} role="status" data-testid="save-state">
          {dirty ? (
            problems > 0 ? (
              <span className={styles.wrong}>
                <CircleAlert size={15} aria-hidden="true" />
                {t("manage.fix_first", { count: problems })}
              </span>
            ) : (
              <span className={styles.dirty}>
                <CircleDot size={15} aria-hidden="true" />
                {t("manage.unsaved")}
              </span>
            )
          ) : (
            saved && (
              <span className={styles.saved}>
                <Check size={15} aria-hidden="true" />
                {t("manage.saved")}
              </span>
            )
          )}
        </div>
        {dirty && (
          <Button onClick={() => discard(section)} data-testid="discard">
            {t("manage.discard")}
          </Button>
        )}
        {actions}
        {dirty && (
          <Button
            type="primary"
            disabled={!ready}
            loading={draft.saving}
            title={t("manage.live_hint")}
            data-testid="save"
            onClick={() => void save(section)}
          >
            {t("manage.save")}
          </Button>
        )}
      </header>
      <div className={styles.content}>
        {conflict && <Conflict section={section} />}
        {draft?.problem != null && !conflict && <NotSaved problem={draft.problem} />}
        {lead !== undefined && <p className={styles.lead}>{lead}</p>}
        {children}
      </div>
    </div>
  );
}

/** The relay's refusal in words that fit a form. */
export function refusalText(t: ReturnType<typeof useT>, problem: Problem): string {
  if (problem.code === "in_use") return t("manage.in_use");
  if (problem.code === "invalid" || problem.code === "bad_body") return t("manage.invalid");
  return problemText(t, problem);
}

function NotSaved({ problem }: { problem: Problem }) {
  const t = useT();
  return (
    <div className={styles.refused} role="alert" data-testid="not-saved">
      <CircleAlert size={18} aria-hidden="true" />
      <div>
        <p>{refusalText(t, problem)}</p>
        <p className={styles.safe}>{t("manage.not_saved")}</p>
      </div>
    </div>
  );
}
