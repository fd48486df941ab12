// 站点: the company's websites, or one of them to be changed, with the code to embed.

import { Button, Input, Select, Switch } from "antd";
import { Copy, Globe, Plus } from "lucide-react";
import type { SiteSettings } from "../../../../shared/bindings/SiteSettings";
import { useT } from "../../i18n";
import { useCompany } from "../../stores/company";
import {
  addSite,
  changeSite,
  dropForm,
  NEW,
  type SiteForm,
  say,
  siteChange,
  useForms,
  writeSite,
} from "../../stores/forms";
import { showPage, useManage, useManagePage } from "../../stores/manage";
import { confirm, warn } from "../../stores/notices";
import { useSession } from "../../stores/session";
import { copyText } from "../../ui/copy";
import { Empty } from "../../ui/Empty";
import { siteProblems } from "./checks";
import { Back, EntryPage, FormProblem, SaveActions } from "./EntryPage";
import { Field, FormSection } from "./Form";
import form from "./Form.module.css";
import styles from "./Sites.module.css";
import tables from "./Tables.module.css";

const FRESH: SiteForm = {
  name: "",
  enabled: true,
  domains: [],
  welcome: "",
  preview: true,
  return_tickets: true,
};

export function SitesPage() {
  const t = useT();
  const entry = useManagePage((state) => state.entry);
  const sites = useCompany((state) => state.sites);
  const open = sites.find(({ id }) => id === entry);
  if (entry === NEW || open !== undefined) return <SiteEditor key={entry} site={open} />;
  return (
    <EntryPage
      name="sites"
      title={t("manage.page_sites")}
      lead={t("manage.sites_lead")}
      actions={
        <Button
          type="primary"
          icon={<Plus size={15} aria-hidden="true" />}
          data-testid="site-add"
          onClick={() => showPage("sites", NEW)}
        >
          {t("manage.site_add")}
        </Button>
      }
    >
      {sites.length === 0 ? (
        <Empty
          icon={<Globe size={26} />}
          title={t("manage.sites_none")}
          text={t("manage.sites_lead")}
        />
      ) : (
        <table className={tables.table} data-testid="sites-table">
          <thead>
            <tr>
              <th scope="col">{t("manage.name")}</th>
              <th scope="col">{t("manage.site_domains")}</th>
              <th scope="col">{t("manage.column_state")}</th>
            </tr>
          </thead>
          <tbody>
            {sites.map((site) => (
              <tr
                key={site.id}
                className={tables.choosable}
                data-testid={`site-${site.id}`}
                onClick={() => showPage("sites", site.id)}
              >
                <td>
                  <button type="button" className={tables.name}>
                    {site.name}
                  </button>
                </td>
                <td className={tables.words}>{site.domains.join(t("manage.use_comma"))}</td>
                <td>{t(site.enabled ? "manage.site_open" : "manage.site_closed")}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </EntryPage>
  );
}

function SiteEditor({ site }: { site: SiteSettings | undefined }) {
  const t = useT();
  const id = site?.id ?? NEW;
  const written = useForms((state) => state.sites[id]);
  const value: SiteForm = written ?? site ?? FRESH;
  const problems = siteProblems(value);
  const change = site === undefined ? null : siteChange(site, { ...FRESH, ...pick(value) });
  const dirty = site === undefined ? written !== undefined : change !== null;
  const set = (to: Partial<SiteForm>) => writeSite(id, { ...pick(value), ...to });
  const problem = (name: string) => (written === undefined ? undefined : problems[name]);

  async function onSave() {
    if (site === undefined) {
      const added = await addSite(value);
      if (added === null) return;
      showPage("sites", added);
      say("manage.saved");
    } else if (change !== null && (await changeSite(id, change))) say("manage.saved");
  }

  return (
    <EntryPage
      back={<Back list={t("manage.page_sites")} onBack={() => showPage("sites")} />}
      name="site"
      title={site === undefined ? t("manage.site_new") : site.name}
      actions={
        <SaveActions
          dirty={dirty}
          ready={Object.keys(problems).length === 0}
          word={site === undefined ? t("manage.add") : t("manage.save")}
          onDiscard={() => dropForm("sites", id)}
          onSave={() => void onSave()}
        />
      }
    >
      <FormProblem />
      <FormSection title={t("manage.basics")}>
        <Field label={t("manage.name")} problem={problem("name")}>
          {(described) => (
            <Input
              {...described}
              className={form.wide ?? ""}
              value={value.name}
              maxLength={64}
              data-testid="site-name"
              onChange={({ target }) => set({ name: target.value })}
            />
          )}
        </Field>
        <Field
          label={t("manage.site_domains")}
          hint={t(
            value.domains.length === 0 ? "manage.site_domains_none" : "manage.site_domains_hint",
          )}
        >
          {({ id: field }) => (
            <Select
              id={field}
              mode="tags"
              open={false}
              suffixIcon={null}
              className={form.grow ?? ""}
              tokenSeparators={[" ", ",", "\n"]}
              placeholder="https://shop.example"
              value={value.domains}
              data-testid="site-domains"
              onChange={(domains) => set({ domains })}
            />
          )}
        </Field>
      </FormSection>
      {site !== undefined && (
        <>
          <Behaviour value={value} set={set} />
          <Embedding site={site} />
        </>
      )}
    </EntryPage>
  );
}

/** A site's settings without its id. */
function pick({ name, enabled, domains, welcome, preview, return_tickets }: SiteForm): SiteForm {
  return { name, enabled, domains, welcome, preview, return_tickets };
}

interface BehaviourProps {
  value: SiteForm;
  set: (change: Partial<SiteForm>) => void;
}

function Behaviour({ value, set }: BehaviourProps) {
  const t = useT();
  const switches = [
    { name: "enabled", label: "manage.site_enabled", hint: undefined },
    { name: "preview", label: "manage.site_preview", hint: "manage.site_preview_hint" },
    { name: "return_tickets", label: "manage.site_tickets", hint: "manage.site_tickets_hint" },
  ] as const;
  return (
    <FormSection title={t("manage.group_conversation")}>
      <Field label={t("manage.site_welcome")} hint={t("manage.site_welcome_hint")}>
        {({ id }) => (
          <Input.TextArea
            id={id}
            value={value.welcome}
            rows={2}
            maxLength={500}
            data-testid="site-welcome"
            onChange={({ target }) => set({ welcome: target.value })}
          />
        )}
      </Field>
      {switches.map(({ name, label, hint }) => (
        <Field key={name} label={t(label)} hint={hint === undefined ? undefined : t(hint)}>
          {({ id }) => (
            <Switch
              id={id}
              checked={value[name]}
              data-testid={`site-${name}`}
              onChange={(on) => set({ [name]: on })}
            />
          )}
        </Field>
      ))}
    </FormSection>
  );
}

async function copy(text: string): Promise<void> {
  if (await copyText(text)) confirm("common.copied");
  else warn("common.copy_failed");
}

function Embedding({ site }: { site: SiteSettings }) {
  const t = useT();
  const server = useSession(({ session }) =>
    session?.kind === "signed_in" ? session.server.replace(/\/+$/, "") : "",
  );
  // Agents may reach the relay by another address than the company's pages do.
  const named = useManage(({ settings }) => settings?.public_url);
  const origin = named ?? server;
  const lines = [
    {
      label: "manage.site_address",
      hint: named === undefined ? "manage.site_address_unset" : "manage.site_address_hint",
      text: origin,
    },
    {
      label: "manage.site_snippet",
      hint: "manage.site_snippet_hint",
      text: `<script async src="${origin}/widget.js" data-site="${site.id}"></script>`,
    },
    { label: "manage.site_link", hint: undefined, text: `${origin}/c/${site.id}` },
  ] as const;
  return (
    <FormSection title={t("manage.group_access")}>
      {lines.map(({ label, hint, text }) => (
        <Field key={label} label={t(label)} hint={hint === undefined ? undefined : t(hint)} group>
          {() => (
            <>
              <code className={styles.code} data-testid={label.replace("manage.", "")}>
                {text}
              </code>
              <Button icon={<Copy size={15} aria-hidden="true" />} onClick={() => void copy(text)}>
                {t("manage.site_copy")}
              </Button>
            </>
          )}
        </Field>
      ))}
    </FormSection>
  );
}
