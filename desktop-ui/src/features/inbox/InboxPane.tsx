// The lists beside the chat: what runs, who waits, whom one served last, and for managers what
// colleagues serve (C04). Invitations stand above whichever list is open.

import { type KeyboardEvent, useId } from "react";
import { useT } from "../../i18n";
import { isRunning, useInbox } from "../../stores/inbox";
import { useQueue } from "../../stores/queue";
import { useOwn } from "../../stores/session";
import { showTab, type Tab, tabFor, tabsOf, useTabs } from "../../stores/tabs";
import { placeFor } from "../../ui/tabKeys";
import { QueueList } from "../queue/QueueList";
import { InvitationCards } from "../transfer/InvitationCards";
import { ColleaguesList } from "./ColleaguesList";
import { ContactsList } from "./ContactsList";
import styles from "./InboxPane.module.css";
import { RunningList } from "./RunningList";

/** Where Esc in the composer goes back to. */
const LIST_ID = "inbox-list";

/** Puts the keyboard into the list. */
export function focusInbox(): void {
  document.getElementById(LIST_ID)?.focus();
}

export function InboxPane() {
  const t = useT();
  const id = useId();
  const role = useOwn()?.role ?? "agent";
  const tabs = tabsOf(role);
  const tab = useTabs((state) => tabFor(state.tab, role));

  function onKeyDown(event: KeyboardEvent) {
    const next = tabs[placeFor(event.key, tabs.indexOf(tab), tabs.length) ?? -1];
    if (next === undefined) return;
    event.preventDefault();
    showTab(next);
    document.getElementById(`${id}-${next}`)?.focus();
  }

  return (
    <section className={styles.pane} aria-label={t("workbench.tabs")}>
      <div
        className={styles.head}
        role="tablist"
        aria-label={t("workbench.tabs")}
        onKeyDown={onKeyDown}
      >
        {tabs.map((one) => (
          <button
            key={one}
            id={`${id}-${one}`}
            type="button"
            role="tab"
            className={styles.tab}
            aria-selected={one === tab}
            aria-controls={`${id}-list`}
            tabIndex={one === tab ? 0 : -1}
            data-testid={`tab-${one}`}
            onClick={() => showTab(one)}
          >
            {t(`workbench.tab_${one}`)}
            <Count tab={one} />
          </button>
        ))}
      </div>
      <InvitationCards />
      <div
        id={`${id}-list`}
        className={styles.body}
        role="tabpanel"
        aria-labelledby={`${id}-${tab}`}
      >
        {tab === "running" && <RunningList listId={LIST_ID} />}
        {tab === "queue" && <QueueList listId={LIST_ID} manages={role !== "agent"} />}
        {tab === "recent" && <ContactsList listId={LIST_ID} />}
        {tab === "colleagues" && <ColleaguesList listId={LIST_ID} />}
      </div>
    </section>
  );
}

/** How many the list holds, where that is known without opening it. */
function Count({ tab }: { tab: Tab }) {
  const running = useInbox((state) => state.rows.filter(isRunning).length);
  const waiting = useQueue((state) => state.waiting);
  if (tab === "running") {
    return (
      <span className={styles.count} data-testid="inbox-count">
        {running}
      </span>
    );
  }
  if (tab !== "queue" || waiting === null) return null;
  return (
    <span className={styles.count} data-testid="queue-count" data-waiting={waiting > 0}>
      {waiting}
    </span>
  );
}
