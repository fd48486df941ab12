// 操作记录: who did what, the newest first (X20).

import { Button } from "antd";
import { CircleAlert, History } from "lucide-react";
import { useEffect } from "react";
import type { AuditEntry } from "../../../../shared/bindings/AuditEntry";
import { type TextKey, useLocale, useT } from "../../i18n";
import { fullTime } from "../../i18n/format";
import { problemText } from "../../i18n/words";
import { loadAudit, loadEarlierAudit, useAudit } from "../../stores/audit";
import { useCompany } from "../../stores/company";
import { useManage } from "../../stores/manage";
import { Empty } from "../../ui/Empty";
import { EntryPage } from "./EntryPage";
import styles from "./Tables.module.css";
import { useNames } from "./useNames";

const DEEDS: Readonly<Record<string, TextKey>> = {
  settings: "manage.deed_settings",
  agent: "manage.deed_agent",
  site: "manage.deed_site",
  assign: "manage.deed_assign",
  watch: "manage.deed_watch",
  enter: "manage.deed_enter",
  take_over: "manage.deed_take_over",
  hand_back: "manage.deed_hand_back",
};

const SECTIONS = ["company", "departments", "skills", "rules", "prompts", "auto_replies"] as const;

/** The subject in words: a section, an account, a site or a conversation. */
function useSubject(): (entry: AuditEntry) => string {
  const t = useT();
  const agents = useManage((state) => state.agents);
  const sites = useCompany((state) => state.sites);
  return ({ deed, subject }) => {
    const section = SECTIONS.find((one) => one === subject);
    if (deed === "settings" && section !== undefined) return t(`manage.page_${section}`);
    const agent = agents.find(({ card }) => card.id === subject);
    if (agent !== undefined) return agent.card.nickname;
    const site = sites.find(({ id }) => id === subject);
    if (site !== undefined) return site.name;
    return t("manage.audit_conversation", { id: subject.slice(-8) });
  };
}

/** Nothing was read: not yet, not at all, or there is nothing. */
function Nothing() {
  const t = useT();
  const { phase, problem } = useAudit();
  if (phase === "loading") return <p>{t("manage.loading")}</p>;
  if (problem !== null) {
    return (
      <Empty
        icon={<CircleAlert size={26} />}
        title={t("manage.audit_failed")}
        text={problemText(t, problem)}
        action={<Button onClick={() => void loadAudit()}>{t("common.retry")}</Button>}
      />
    );
  }
  return (
    <Empty
      icon={<History size={26} />}
      title={t("manage.audit_none")}
      text={t("manage.audit_none_text")}
    />
  );
}

export function AuditPage() {
  const t = useT();
  const locale = useLocale();
  const names = useNames();
  const subject = useSubject();
  const { entries, hasEarlier, phase, problem } = useAudit();
  useEffect(() => void loadAudit(), []);
  return (
    <EntryPage name="audit" title={t("manage.page_audit")} lead={t("manage.audit_lead")}>
      {entries.length === 0 && <Nothing />}
      {entries.length > 0 && (
        <table className={styles.table} data-testid="audit-table">
          <thead>
            <tr>
              <th scope="col">{t("manage.audit_time")}</th>
              <th scope="col">{t("manage.audit_who")}</th>
              <th scope="col">{t("manage.audit_deed")}</th>
              <th scope="col">{t("manage.audit_subject")}</th>
            </tr>
          </thead>
          <tbody>
            {entries.map((entry) => {
              const deed = DEEDS[entry.deed];
              return (
                <tr key={entry.number} data-testid={`audit-${entry.number}`}>
                  <td className={styles.time}>{fullTime(locale, entry.at)}</td>
                  <td>{names.agent(entry.agent_id)}</td>
                  <td>{deed === undefined ? entry.deed : t(deed)}</td>
                  <td className={styles.words} title={entry.subject}>
                    {subject(entry)}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
      {entries.length > 0 && problem !== null && (
        <p className={styles.problem} role="alert">
          {problemText(t, problem)}
        </p>
      )}
      {hasEarlier && (
        <div className={styles.more}>
          <Button
            loading={phase === "loading"}
            data-testid="audit-earlier"
            onClick={() => void loadEarlierAudit()}
          >
            {t("manage.audit_earlier")}
          </Button>
        </div>
      )}
    </EntryPage>
  );
}
