// What still names something, in one line.

import { useT } from "../../i18n";
import { useCompany } from "../../stores/company";
import styles from "./Form.module.css";
import type { Use } from "./uses";

/** Users named; the rest is a number. */
const NAMED = 4;

export function UseList({ uses }: { uses: readonly Use[] }) {
  const t = useT();
  const sites = useCompany((state) => state.sites);
  if (uses.length === 0) return null;
  const name = (use: Use) =>
    use.what === "site" ? (sites.find(({ id }) => id === use.name)?.name ?? use.name) : use.name;
  const names = uses.slice(0, NAMED).map((use) => t(`manage.use_${use.what}`, { name: name(use) }));
  const more = uses.length - names.length;
  const all = more > 0 ? [...names, t("manage.use_more", { count: more })] : names;
  return (
    <span className={styles.hint} data-testid="uses">
      {t("manage.used_by", { names: all.join(t("manage.use_comma")) })}
    </span>
  );
}
