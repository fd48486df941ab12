// 管理中心: the pages on the left, one of them at a time on the right. The settings are read when it
// is opened; what is being changed stays as it was left.

import { Button } from "antd";
import { CircleAlert } from "lucide-react";
import { type ComponentType, useEffect } from "react";
import { useT } from "../../i18n";
import { problemText } from "../../i18n/words";
import { loadSettings, type ManagePage, useManage, useManagePage } from "../../stores/manage";
import { Empty } from "../../ui/Empty";
import { AgentsPage } from "./AgentsPage";
import { AuditPage } from "./AuditPage";
import { AutoRepliesPage } from "./AutoRepliesPage";
import { CompanyPage } from "./CompanyPage";
import { DepartmentsPage } from "./DepartmentsPage";
import styles from "./ManageCentre.module.css";
import { Navigation } from "./Navigation";
import { PromptsPage } from "./PromptsPage";
import { ReplayPage } from "./ReplayPage";
import { RulesPage } from "./RulesPage";
import { SitesPage } from "./SitesPage";
import { SkillsPage } from "./SkillsPage";

const PAGES: Record<ManagePage, ComponentType> = {
  company: CompanyPage,
  sites: SitesPage,
  departments: DepartmentsPage,
  rules: RulesPage,
  replay: ReplayPage,
  prompts: PromptsPage,
  auto_replies: AutoRepliesPage,
  agents: AgentsPage,
  skills: SkillsPage,
  audit: AuditPage,
};

export function ManageCentre() {
  const t = useT();
  const page = useManagePage((state) => state.page);
  const known = useManage((state) => state.settings !== null);
  const problem = useManage((state) => state.problem);
  useEffect(() => void loadSettings(), []);
  const Page = PAGES[page];
  return (
    <main className={styles.centre} data-testid="manage" aria-label={t("manage.title")}>
      <Navigation />
      {known ? (
        <Page />
      ) : problem === null ? (
        <p className={styles.loading}>{t("manage.loading")}</p>
      ) : (
        <Empty
          icon={<CircleAlert size={26} />}
          title={t("manage.failed")}
          text={problemText(t, problem)}
          action={<Button onClick={() => void loadSettings()}>{t("common.retry")}</Button>}
        />
      )}
    </main>
  );
}
