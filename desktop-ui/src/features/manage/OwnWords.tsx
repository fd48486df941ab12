// 我的自动应答: one's own words for what the relay says by itself in one's conversations (D06). While
// the company's words replace them they are kept and shown as not used.

import { Button } from "antd";
import { type FormEvent, useState } from "react";
import type { OwnCard } from "../../../../shared/bindings/OwnCard";
import { useT } from "../../i18n";
import { problemText } from "../../i18n/words";
import { useCompany } from "../../stores/company";
import { confirm } from "../../stores/notices";
import { setAutoReplies } from "../../stores/ownWords";
import type { Problem } from "../../stores/problem";
import { Dialog, DialogActions } from "../../ui/Dialog";
import { Note } from "../../ui/Note";
import { REPLIES } from "./AutoRepliesPage";
import { wordsProblems } from "./checks";
import { Field } from "./Form";
import styles from "./OwnWords.module.css";
import { Words } from "./PromptsPage";

interface OwnWordsProps {
  own: OwnCard;
  onClose: () => void;
}

export default function OwnWords({ own, onClose }: OwnWordsProps) {
  const t = useT();
  const forced = useCompany((state) => state.company.forced_replies);
  const [texts, setTexts] = useState(own.auto_replies);
  const [saving, setSaving] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const problems = wordsProblems(texts);

  async function onSubmit(event: FormEvent) {
    event.preventDefault();
    if (saving || Object.keys(problems).length > 0) return;
    setSaving(true);
    const failed = await setAutoReplies(texts);
    setSaving(false);
    setProblem(failed);
    if (failed === null) {
      confirm("manage.own_words_saved");
      onClose();
    }
  }

  return (
    <Dialog title={t("manage.own_words")} closeLabel={t("common.close")} wide onClose={onClose}>
      <form className={styles.form} onSubmit={onSubmit} data-testid="own-words">
        <p className={styles.lead}>{t("manage.own_words_lead")}</p>
        {forced && <Note tone="warn">{t("manage.own_words_forced")}</Note>}
        {REPLIES.map((name) => (
          <Field key={name} label={t(`manage.reply_${name}`)} problem={problems[name]}>
            {({ id }) => (
              <Words
                id={id}
                name={`own-${name}`}
                otherwise={t("manage.own_words_empty")}
                wrong={problems[name] !== undefined}
                value={texts[name]}
                placeholders={[]}
                onChange={(text) => setTexts({ ...texts, [name]: text })}
              />
            )}
          </Field>
        ))}
        <div role="alert">
          {problem !== null && <Note tone="danger">{problemText(t, problem)}</Note>}
        </div>
        <DialogActions>
          <Button onClick={onClose}>{t("common.cancel")}</Button>
          <Button
            type="primary"
            htmlType="submit"
            loading={saving}
            disabled={Object.keys(problems).length > 0}
            data-testid="own-words-save"
          >
            {t("manage.save")}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
