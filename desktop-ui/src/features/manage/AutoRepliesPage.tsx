// 自动应答: the company's words for what the relay says by itself (D05), and whether they replace
// everybody's own (D06).

import { Switch } from "antd";
import { useLocale, useT } from "../../i18n";
import { windowWords } from "../../i18n/widget";
import { wordsProblems } from "./checks";
import { Field, FormSection } from "./Form";
import { Words } from "./PromptsPage";
import { SectionPage } from "./SectionPage";
import { useSection } from "./useSection";

/** The texts in the order they are said. */
export const REPLIES = ["ask_visitor", "warn_visitor", "explain_delay"] as const;

export function AutoRepliesPage() {
  const t = useT();
  const locale = useLocale();
  const section = useSection("auto_replies");
  if (section === null) return null;
  const { value: replies, change } = section;
  const { texts, forced } = replies;
  const problems = wordsProblems(texts);
  return (
    <SectionPage
      section="auto_replies"
      title={t("manage.page_auto_replies")}
      lead={t("manage.auto_replies_lead")}
      problems={Object.keys(problems).length}
    >
      <FormSection title={t("manage.forced_title")}>
        <Field label={t("manage.forced")} hint={t("manage.forced_hint")}>
          {({ id }) => (
            <Switch
              id={id}
              checked={forced}
              data-testid="forced"
              onChange={(to) => change({ ...replies, forced: to })}
            />
          )}
        </Field>
      </FormSection>
      <FormSection title={t("manage.company_words")} about={t("manage.auto_replies_when")}>
        {REPLIES.map((name) => (
          <Field
            key={name}
            label={t(`manage.reply_${name}`)}
            hint={t(`manage.reply_${name}_when`)}
            problem={problems[name]}
          >
            {({ id }) => (
              <Words
                id={id}
                name={name}
                otherwise={windowWords(locale, name)}
                wrong={problems[name] !== undefined}
                value={texts[name]}
                placeholders={[]}
                onChange={(text) => change({ ...replies, texts: { ...texts, [name]: text } })}
              />
            )}
          </Field>
        ))}
      </FormSection>
    </SectionPage>
  );
}
