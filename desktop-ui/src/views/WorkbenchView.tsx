// The workbench of a signed-in agent: title row, rail, and the module that is open. Reception has
// three panes whose widths are dragged and remembered; the chat is never under its least width: then
// the side pane becomes a drawer.

import { X } from "lucide-react";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import type { OwnCard } from "../../../shared/bindings/OwnCard";
import { ChatPane } from "../features/chat/ChatPane";
import { Composer } from "../features/composer/Composer";
import { focusInbox, InboxPane } from "../features/inbox/InboxPane";
import { InvitationPrompt } from "../features/transfer/InvitationPrompt";
import { VisitorPane } from "../features/visitor/VisitorPane";
import { useT } from "../i18n";
import { useChat } from "../stores/chat";
import { moduleFor, useModules } from "../stores/modules";
import {
  CHAT_WIDTH_MIN,
  LIST_WIDTH,
  SIDE_WIDTH,
  setPreferences,
  usePreferences,
} from "../stores/preferences";
import { Boundary } from "../ui/Boundary";
import { IconButton } from "../ui/IconButton";
import { Splitter } from "../ui/Splitter";
import { useHeldFocus } from "../ui/useHeldFocus";
import { useWidth } from "../ui/useWidth";
import { Broken } from "./Broken";
import { Rail } from "./Rail";
import { TitleRow } from "./TitleRow";
import styles from "./WorkbenchView.module.css";

const FloorView = lazy(() => import("./FloorView"));
const ManageView = lazy(() => import("./ManageView"));

const LIST_REST = 288;
const SIDE_REST = 320;

const within = (value: number, limit: { min: number; max: number }) =>
  Math.min(limit.max, Math.max(limit.min, value));

export function WorkbenchView({ own, server }: { own: OwnCard; server: string }) {
  const module = useModules(({ module }) => moduleFor(module, own.role));
  return (
    <>
      <TitleRow own={own} server={server} />
      <div className={styles.body}>
        <Rail role={own.role} module={module} />
        {/* A bug in one module leaves the others, and what is written there, as they are. */}
        <Boundary key={module} instead={<Broken />}>
          <Suspense>
            {module === "reception" && <Reception own={own} />}
            {module === "floor" && <FloorView />}
            {module === "manage" && <ManageView />}
          </Suspense>
        </Boundary>
        {module !== "reception" && <InvitationPrompt />}
      </div>
    </>
  );
}

function Reception({ own }: { own: OwnCard }) {
  const t = useT();
  const panes = useRef<HTMLElement>(null);
  const width = useWidth(panes);
  const { list_width, side_width, side_open } = usePreferences((state) => state.preferences);
  const conversationId = useChat((state) => state.conversationId);
  const head = useChat((state) => state.head);
  const [drawer, setDrawer] = useState(false);

  const list = Math.min(
    within(list_width, LIST_WIDTH),
    Math.max(LIST_WIDTH.min, width - CHAT_WIDTH_MIN),
  );
  const room = width - list - CHAT_WIDTH_MIN;
  const narrow = room < SIDE_WIDTH.min;
  const side = Math.min(within(side_width, SIDE_WIDTH), Math.max(SIDE_WIDTH.min, room));
  const open = conversationId !== null;
  const docked = open && side_open && !narrow;
  const drawn = open && narrow && drawer;

  // Another conversation, or room again: the drawer has done its work.
  // biome-ignore lint/correctness/useExhaustiveDependencies: these two close it
  useEffect(() => setDrawer(false), [conversationId, narrow]);

  function toggleSide() {
    if (narrow) setDrawer(!drawer);
    else setPreferences({ side_open: !side_open });
  }

  return (
    <main className={styles.panes} ref={panes}>
      <div className={styles.list} style={{ width: list }}>
        <InboxPane />
      </div>
      <Splitter
        label={t("workbench.list_width")}
        width={list}
        min={LIST_WIDTH.min}
        max={LIST_WIDTH.max}
        rest={LIST_REST}
        pane="before"
        onChange={(to) => setPreferences({ list_width: to })}
      />
      <ChatPane own={own} sideShown={docked || drawn} onToggleSide={toggleSide}>
        {conversationId !== null && head !== null && (
          <Composer
            key={conversationId}
            conversationId={conversationId}
            head={head}
            ownId={own.id}
            onLeave={focusInbox}
          />
        )}
      </ChatPane>
      {docked && (
        <>
          <Splitter
            label={t("workbench.side_width")}
            width={side}
            min={SIDE_WIDTH.min}
            max={Math.min(SIDE_WIDTH.max, room)}
            rest={SIDE_REST}
            pane="after"
            onChange={(to) => setPreferences({ side_width: to })}
          />
          <div className={styles.side} style={{ width: side }}>
            <VisitorPane />
          </div>
        </>
      )}
      {drawn && (
        <Drawer width={side} onClose={() => setDrawer(false)} label={t("workbench.hide_side")} />
      )}
    </main>
  );
}

interface DrawerProps {
  width: number;
  label: string;
  onClose: () => void;
}

function Drawer({ width, label, onClose }: DrawerProps) {
  const drawer = useRef<HTMLDivElement>(null);
  useHeldFocus(drawer);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Esc closes it from anywhere inside
    <div
      ref={drawer}
      className={styles.drawer}
      style={{ width }}
      onKeyDown={(event) => {
        if (event.key === "Escape") onClose();
      }}
    >
      <VisitorPane
        actions={
          <IconButton label={label} onClick={onClose}>
            <X size={18} aria-hidden="true" />
          </IconButton>
        }
      />
    </div>
  );
}
