// The frame of a page about one thing, or of a list of things: title, actions, content.

import { Button } from "antd";
import { ArrowLeft, Check, CircleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { useT } from "../../i18n";
import { useForms } from "../../stores/forms";
import { IconButton } from "../../ui/IconButton";
import { refusalText } from "./SectionPage";
import styles from "./SectionPage.module.css";

/** The way back to the list that a page about one of its entries came from. */
export function Back({ list, onBack }: { list: string; onBack: () => void }) {
  const t = useT();
  return (
    <IconButton
      label={`${t("manage.back")} · ${list}`}
      className={styles.back}
      data-testid="back"
      onClick={onBack}
    >
      <ArrowLeft size={18} aria-hidden="true" />
      {list}
    </IconButton>
  );
}

interface EntryPageProps {
  /** Before the title. */
  back?: ReactNode;
  name: string;
  title: string;
  lead?: string;
  actions?: ReactNode;
  children: ReactNode;
}

export function EntryPage({ back, name, title, lead, actions, children }: EntryPageProps) {
  const t = useT();
  const said = useForms((state) => state.said);
  return (
    <div className={styles.page} data-testid={`page-${name}`}>
      <header className={styles.head}>
        {back}
        <h2>{title}</h2>
        <div className={styles.state} role="status" data-testid="save-state">
          {said !== null && (
            <span className={styles.saved}>
              <Check size={15} aria-hidden="true" />
              {t(said)}
            </span>
          )}
        </div>
        {actions}
      </header>
      <div className={styles.content}>
        {lead !== undefined && <p className={styles.lead}>{lead}</p>}
        {children}
      </div>
    </div>
  );
}

interface SaveActionsProps {
  dirty: boolean;
  ready: boolean;
  word: string;
  onDiscard: () => void;
  onSave: () => void;
}

/** Discard and save of a form. */
export function SaveActions(props: SaveActionsProps) {
  const { dirty, ready, word, onDiscard, onSave } = props;
  const t = useT();
  const saving = useForms((state) => state.saving);
  return (
    <>
      {dirty && (
        <Button onClick={onDiscard} data-testid="discard">
          {t("manage.discard")}
        </Button>
      )}
      <Button
        type="primary"
        disabled={!dirty || !ready}
        loading={saving}
        data-testid="save"
        onClick={onSave}
      >
        {word}
      </Button>
    </>
  );
}

/** Why a form was not saved. */
export function FormProblem() {
  const t = useT();
  const problem = useForms((state) => state.problem);
  if (problem === null) return null;
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
