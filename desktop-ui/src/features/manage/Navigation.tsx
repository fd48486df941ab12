// The pages of the management centre in groups, with a search over what each of them sets and a dot
// where something is not saved.

import { Input } from "antd";
import {
  Globe,
  History,
  type LucideIcon,
  MessageSquareText,
  Rewind,
  Route,
  Search,
  SlidersHorizontal,
  User,
  Users,
  Wrench,
  Zap,
} from "lucide-react";
import { useState } from "react";
import { useT } from "../../i18n";
import { type ManagePage, showPage, useManage, useManagePage } from "../../stores/manage";
import styles from "./ManageCentre.module.css";

const GROUPS: readonly {
  group: "access" | "conversation" | "people" | "safety";
  pages: readonly ManagePage[];
}[] = [
  { group: "access", pages: ["sites", "company"] },
  { group: "conversation", pages: ["departments", "rules", "replay", "prompts", "auto_replies"] },
  { group: "people", pages: ["agents", "skills"] },
  { group: "safety", pages: ["audit"] },
];

const ICONS: Record<ManagePage, LucideIcon> = {
  company: SlidersHorizontal,
  sites: Globe,
  departments: Users,
  rules: Route,
  replay: Rewind,
  prompts: MessageSquareText,
  auto_replies: Zap,
  agents: User,
  skills: Wrench,
  audit: History,
};

export function Navigation() {
  const t = useT();
  const current = useManagePage((state) => state.page);
  const drafts = useManage((state) => state.drafts);
  const [typed, setTyped] = useState("");
  const wanted = typed.trim().toLocaleLowerCase();
  const fits = (page: ManagePage) =>
    `${t(`manage.page_${page}`)} ${t(`manage.find_${page}`)}`.toLocaleLowerCase().includes(wanted);
  const groups = GROUPS.map(({ group, pages }) => ({ group, pages: pages.filter(fits) })).filter(
    ({ pages }) => pages.length > 0,
  );
  const first = groups[0]?.pages[0];
  return (
    <nav className={styles.nav} aria-label={t("manage.pages")}>
      <Input
        allowClear
        prefix={<Search size={15} aria-hidden="true" />}
        placeholder={t("manage.search")}
        aria-label={t("manage.search")}
        value={typed}
        data-testid="manage-search"
        onChange={(event) => setTyped(event.target.value)}
        onPressEnter={() => {
          if (first !== undefined) showPage(first);
        }}
      />
      {groups.length === 0 && <p className={styles.nothing}>{t("manage.search_none")}</p>}
      {groups.map(({ group, pages }) => (
        <div key={group}>
          <p className={styles.group}>{t(`manage.group_${group}`)}</p>
          {pages.map((page) => {
            const Icon = ICONS[page];
            const dirty = page in drafts;
            return (
              <button
                key={page}
                type="button"
                className={styles.item}
                aria-current={page === current ? "page" : undefined}
                data-testid={`manage-${page}`}
                onClick={() => showPage(page)}
              >
                <Icon size={17} strokeWidth={1.75} aria-hidden="true" />
                <span className={styles.word}>{t(`manage.page_${page}`)}</span>
                {dirty && (
                  <span className={styles.dirty} title={t("manage.unsaved")}>
                    <span className="visually-hidden">{t("manage.unsaved")}</span>
                  </span>
                )}
              </button>
            );
          })}
        </div>
      ))}
    </nav>
  );
}
