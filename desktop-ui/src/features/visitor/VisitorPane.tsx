// Who one is talking to: everything the visitor's card says, and nothing it does not.

import { Check, Copy, Globe } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import type { ChatHead } from "../../../../shared/bindings/ui/ChatHead";
import type { VisitorCard } from "../../../../shared/bindings/VisitorCard";
import { useLocale, useT } from "../../i18n";
import { dayName, languageName, timeOfDay } from "../../i18n/format";
import { departmentName, visitorName } from "../../i18n/words";
import { useChat } from "../../stores/chat";
import { useToday } from "../../stores/clock";
import { useCompany } from "../../stores/company";
import { warn } from "../../stores/notices";
import { Avatar } from "../../ui/Avatar";
import { copyText } from "../../ui/copy";
import { IconButton } from "../../ui/IconButton";
import { join } from "../../ui/join";
import { LinkedText } from "../../ui/LinkedText";
import { Tag } from "../../ui/Tag";
import styles from "./VisitorPane.module.css";

/** How long "copied" is shown. */
const COPIED_MS = 1_600;

export function VisitorPane({ actions }: { actions?: ReactNode }) {
  const t = useT();
  const head = useChat((state) => state.head);
  return (
    <section className={styles.pane} aria-label={t("workbench.visitor")}>
      <header className={styles.head}>
        <h2 className={styles.tab}>{t("workbench.visitor")}</h2>
        {actions}
      </header>
      {head !== null && (
        <div className={styles.body}>
          <Who
            visitor={head.visitor}
            vip={head.vip}
            online={head.visitor_online}
            known={head.held || head.standing === "watching"}
          />
          <Facts head={head} />
          <Page visitor={head.visitor} />
        </div>
      )}
    </section>
  );
}

interface WhoProps {
  visitor: VisitorCard;
  vip: boolean;
  online: boolean;
  /** Whether we are still told where the visitor is. */
  known: boolean;
}

function Who({ visitor, vip, online, known }: WhoProps) {
  const t = useT();
  return (
    <div className={styles.who}>
      <Avatar
        letters={visitor.label.slice(0, 2)}
        seed={visitor.id}
        size={40}
        absent={known && !online}
        mark={<Globe size={10} />}
      />
      <div>
        <p className={styles.name}>
          {visitorName(t, visitor)}
          {vip && <Tag tone="vip">{t("workbench.vip")}</Tag>}
        </p>
        {known && (
          <p className={join(styles.state, online && styles.online)}>
            {t(online ? "workbench.visitor_here" : "workbench.visitor_left")}
          </p>
        )}
      </div>
    </div>
  );
}

function Facts({ head }: { head: ChatHead }) {
  const { visitor, started_at: startedAt, department_id } = head;
  const t = useT();
  const departments = useCompany((state) => state.company.departments);
  const department = departments.find((one) => one.id === department_id);
  const locale = useLocale();
  const today = useToday();
  return (
    <dl className={styles.facts}>
      <dt>{t("workbench.site")}</dt>
      <dd>{visitor.site_name}</dd>
      {department !== undefined && (
        <>
          <dt>{t("workbench.department")}</dt>
          <dd>{departmentName(t, department)}</dd>
        </>
      )}
      <dt>{t("workbench.visitor_language")}</dt>
      <dd>{visitor.locale === "" ? t("common.unknown") : languageName(locale, visitor.locale)}</dd>
      <dt>{t("workbench.started")}</dt>
      <dd>
        {dayName(locale, startedAt, today)} {timeOfDay(locale, startedAt)}
      </dd>
    </dl>
  );
}

function Page({ visitor }: { visitor: VisitorCard }) {
  const t = useT();
  return (
    <section className={styles.section}>
      <h3>{t("workbench.page")}</h3>
      {visitor.page_url === "" ? (
        <p className={styles.none}>{t("workbench.page_unknown")}</p>
      ) : (
        <div className={styles.page}>
          <div>
            {visitor.page_title !== "" && <p className={styles.title}>{visitor.page_title}</p>}
            <p className={styles.url} title={visitor.page_url}>
              <LinkedText text={visitor.page_url} />
            </p>
          </div>
          <CopyButton text={visitor.page_url} />
        </div>
      )}
    </section>
  );
}

function CopyButton({ text }: { text: string }) {
  const t = useT();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = window.setTimeout(() => setCopied(false), COPIED_MS);
    return () => window.clearTimeout(timer);
  }, [copied]);
  async function copy() {
    if (await copyText(text)) setCopied(true);
    else warn("common.copy_failed");
  }
  return (
    <IconButton
      label={t(copied ? "common.copied" : "workbench.copy_address")}
      onClick={() => void copy()}
    >
      {copied ? <Check size={16} aria-hidden="true" /> : <Copy size={16} aria-hidden="true" />}
    </IconButton>
  );
}
