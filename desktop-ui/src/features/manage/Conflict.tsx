// Somebody else saved this page while it was being changed here: what they changed, what I changed,
// and two ways on. Neither loses anything without being asked.

import { Button } from "antd";
import { useT } from "../../i18n";
import { departmentName } from "../../i18n/words";
import { discard, draftOf, mergeTheirs, useManage } from "../../stores/manage";
import { type Change, changesBetween, type SectionName } from "../../stores/sections";
import styles from "./SectionPage.module.css";

/** Fields whose words stand under another key than their own name. */
const FIELDS = [
  "zone",
  "grace_s",
  "invitation_s",
  "default_department",
  "categories",
  "sites",
  "seats_for_silent",
  "choose_department",
  "choose_agent",
  "announce_entering",
  "attention",
  "forced",
  "texts",
] as const;

const PROMPTS = [
  "waiting",
  "queued",
  "nobody_online",
  "closed",
  "agent_joined",
  "agent_changed",
  "agent_ended",
  "timed_out",
  "agent_away",
  "reconnecting",
  "offline",
  "message_left",
] as const;

const isOneOf = <T extends string>(all: readonly T[], name: string): name is T =>
  (all as readonly string[]).includes(name);

export function Conflict({ section }: { section: SectionName }) {
  const t = useT();
  const draft = useManage((state) => draftOf(state.drafts, section));
  const theirs = useManage((state) => state.settings?.[section].value);
  if (draft === undefined || theirs === undefined) return null;

  const entries = [draft.from, draft.value, theirs].flatMap((value) =>
    Array.isArray(value) ? (value as { id: string; name: string }[]) : [],
  );
  function name(what: string): string {
    if (isOneOf(PROMPTS, what)) return t(`manage.prompt_${what}`);
    if (isOneOf(FIELDS, what)) return t(`manage.part_${what}`);
    return departmentName(
      t,
      entries.find((one) => one.id === what),
    );
  }
  const lines = (changes: readonly Change[]) =>
    changes.length === 0
      ? [t("manage.change_nothing")]
      : changes.map(({ how, what }) => t(`manage.change_${how}`, { name: name(what) }));

  return (
    <section className={styles.conflict} role="alert" data-testid="conflict">
      <h3>{t("manage.conflict_title")}</h3>
      <p>{t("manage.conflict_text")}</p>
      <div className={styles.sides}>
        <Side
          title={t("manage.conflict_theirs")}
          lines={lines(changesBetween(draft.from, theirs))}
        />
        <Side
          title={t("manage.conflict_mine")}
          lines={lines(changesBetween(draft.from, draft.value))}
        />
      </div>
      <div className={styles.ways}>
        <Button type="primary" onClick={() => mergeTheirs(section)} data-testid="conflict-merge">
          {t("manage.conflict_merge")}
        </Button>
        <Button onClick={() => discard(section)} data-testid="conflict-take">
          {t("manage.conflict_take")}
        </Button>
      </div>
    </section>
  );
}

function Side({ title, lines }: { title: string; lines: readonly string[] }) {
  return (
    <div>
      <h4>{title}</h4>
      <ul>
        {lines.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
    </div>
  );
}
