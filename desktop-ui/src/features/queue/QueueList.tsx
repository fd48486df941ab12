// 排队 (B09, B10, B16). Managers see who waits, where and why, and assign by hand or take over. Agents
// see how many wait, and that nobody has to be fetched.

import { ArrowDownWideNarrow, ListOrdered, UsersRound } from "lucide-react";
import { type KeyboardEvent, lazy, Suspense, useMemo, useState } from "react";
import { VList } from "virtua";
import type { FloorWaiting } from "../../../../shared/bindings/FloorWaiting";
import { useT } from "../../i18n";
import { useChat } from "../../stores/chat";
import { useConnection } from "../../stores/connection";
import { useFloor, useFloorWatch } from "../../stores/floor";
import { useServing } from "../../stores/inbox";
import { setListView, toggleColumn, useListView } from "../../stores/lists";
import { useQueue } from "../../stores/queue";
import { QUEUE, type QueueColumn, type QueueOrder } from "../../stores/queueView";
import { useOwn } from "../../stores/session";
import { ColumnsMenu } from "../../ui/ColumnsMenu";
import { Empty } from "../../ui/Empty";
import { Menu } from "../../ui/Menu";
import { Rows } from "../../ui/Rows";
import { sortWaiting } from "./order";
import styles from "./Queue.module.css";
import { QueueRow, rowHeight } from "./QueueRow";

const AssignDialog = lazy(() => import("./AssignDialog"));

interface QueueListProps {
  /** Where the keyboard goes from elsewhere. */
  listId: string;
  manages: boolean;
}

export function QueueList({ listId, manages }: QueueListProps) {
  return manages ? <Waiting listId={listId} /> : <Length />;
}

function Waiting({ listId }: { listId: string }) {
  const t = useT();
  useFloorWatch();
  const floor = useFloor((state) => state.floor);
  const open = useChat((state) => state.conversationId);
  const connected = useConnection((state) => state.connection.state === "connected");
  const { sort: order, columns } = useListView(QUEUE);
  const [assigning, setAssigning] = useState<FloorWaiting | null>(null);
  const rows = useMemo(
    () =>
      floor === null
        ? []
        : sortWaiting(
            floor.waiting,
            order,
            floor.departments.map((one) => one.department_id),
          ),
    [floor, order],
  );
  // What is not current says nothing: an empty line of before is no empty line.
  if (!connected && rows.length === 0) return <Unknown />;
  if (floor === null) return <Rows label={t("queue.loading")} />;
  const hidden = floor.waiting_total - floor.waiting.length;
  return (
    <>
      {rows.length === 0 ? (
        <Empty
          icon={<ListOrdered size={26} />}
          title={t("queue.none")}
          text={t("queue.none_text")}
        />
      ) : (
        <>
          <div className={styles.tools}>
            <span className={styles.total} role="status">
              {connected ? t("queue.count", { count: floor.waiting_total }) : t("floor.not_live")}
            </span>
            <OrderMenu order={order} />
            <ColumnsMenu
              label={t("queue.columns")}
              shownWord={t("queue.shown")}
              testId="queue-column"
              columns={QUEUE.columns.map((key) => ({
                key,
                label: t(`queue.column_${key}`),
                shown: columns.includes(key),
              }))}
              onToggle={(key) => toggleColumn(QUEUE, key as QueueColumn)}
            />
          </div>
          <VList
            id={listId}
            className={styles.list ?? ""}
            role="list"
            tabIndex={-1}
            aria-label={t("workbench.tab_queue")}
            onKeyDown={moveByRows}
            data={rows}
            itemSize={rowHeight(columns)}
          >
            {(row) => (
              <QueueRow
                key={row.conversation_id}
                row={row}
                columns={columns}
                current={row.conversation_id === open}
                onAssign={setAssigning}
              />
            )}
          </VList>
          {hidden > 0 && <p className={styles.more}>{t("queue.more", { count: hidden })}</p>}
        </>
      )}
      {assigning !== null && (
        <Suspense>
          <AssignDialog row={assigning} onClose={() => setAssigning(null)} />
        </Suspense>
      )}
    </>
  );
}

/** Up and down go from row to row, to the same button of each; from the list itself to its first row. */
function moveByRows(event: KeyboardEvent<HTMLElement>): void {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const list = event.currentTarget;
  const on = document.activeElement;
  const name = on instanceof HTMLElement ? on.dataset.testid : undefined;
  const buttons = [
    ...list.querySelectorAll<HTMLElement>(`[data-testid="${name ?? "queue-open"}"]`),
  ];
  const at = on instanceof HTMLElement ? buttons.indexOf(on) : -1;
  const first = list.querySelector<HTMLElement>('[data-testid="queue-open"]');
  const next = at < 0 ? first : buttons[event.key === "ArrowDown" ? at + 1 : at - 1];
  if (next == null) return;
  event.preventDefault();
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

function OrderMenu({ order }: { order: QueueOrder }) {
  const t = useT();
  return (
    <Menu
      placement="bottomRight"
      items={QUEUE.sorts.map((key) => ({
        key,
        label: <span data-testid={`queue-order-${key}`}>{t(`queue.sort_${key}`)}</span>,
      }))}
      selected={order}
      onChoose={(key) => setListView(QUEUE, { sort: key as QueueOrder })}
    >
      <button
        type="button"
        className={styles.order}
        aria-haspopup="menu"
        data-testid="queue-order"
        data-order={order}
      >
        <ArrowDownWideNarrow size={14} aria-hidden="true" />
        {t(`queue.sort_${order}`)}
      </button>
    </Menu>
  );
}

/** What an agent needs to know of the line. */
function Length() {
  const t = useT();
  const waiting = useQueue((state) => state.waiting);
  const own = useOwn();
  const serving = useServing();
  if (waiting === null) return <Unknown />;
  const full = own !== null && serving >= own.capacity;
  const why =
    own?.availability === "busy" ? "queue.mine_busy" : full ? "queue.mine_full" : "queue.mine_text";
  return (
    <Empty
      icon={waiting === 0 ? <UsersRound size={26} /> : <b className={styles.number}>{waiting}</b>}
      title={waiting === 0 ? t("queue.mine_none") : t("queue.mine", { count: waiting })}
      text={t(why)}
    />
  );
}

function Unknown() {
  const t = useT();
  return (
    <Empty
      icon={<UsersRound size={26} />}
      title={t("queue.unknown")}
      text={t("queue.unknown_text")}
    />
  );
}
