// 转接 and 邀请 (F01-F03): a colleague who is online or a department, what accepting does, and a word
// that the visitor never sees. Nothing changes before somebody accepts.

import { Button } from "antd";
import { type FormEvent, useId, useState } from "react";
import type { FloorDepartment } from "../../../../shared/bindings/FloorDepartment";
import type { InvitationKind } from "../../../../shared/bindings/InvitationKind";
import type { ChatHead } from "../../../../shared/bindings/ui/ChatHead";
import { type Translate, useT } from "../../i18n";
import { problemText, visitorName } from "../../i18n/words";
import { useDepartmentName } from "../../stores/company";
import { useFloor, useFloorWatch } from "../../stores/floor";
import { invite } from "../../stores/invitations";
import { usePeople } from "../../stores/people";
import type { Problem } from "../../stores/problem";
import { Dialog, DialogActions } from "../../ui/Dialog";
import { Note } from "../../ui/Note";
import { Rows } from "../../ui/Rows";
import { Colleague, Search } from "./Colleague";
import { type AgentChoice, agentChoices, departmentChoices, matches } from "./choices";
import { Option } from "./Option";
import styles from "./Picker.module.css";

/** As the relay demands (limits of the protocol). */
const NOTE_CHARS_MAX = 500;
const KINDS: readonly InvitationKind[] = ["transfer", "join"];

interface InviteDialogProps {
  conversationId: string;
  head: ChatHead;
  kind: InvitationKind;
  /** Oneself and all who are there already. */
  without: readonly string[];
  onClose: () => void;
}

export default function InviteDialog(props: InviteDialogProps) {
  const { conversationId, head, without, onClose } = props;
  const t = useT();
  const id = useId();
  useFloorWatch();
  const floor = useFloor((state) => state.floor);
  const [kind, setKind] = useState(props.kind);
  const [chosen, setChosen] = useState<string | null>(null);
  const [note, setNote] = useState("");
  const [asking, setAsking] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const over = [...note.trim()].length - NOTE_CHARS_MAX;
  const people = usePeople();
  const agents = floor === null ? [] : agentChoices(floor, people, without);
  // A single department is everybody: then the colleagues say more.
  const departments =
    floor === null || floor.departments.length < 2 ? [] : departmentChoices(floor);
  // Who went away meanwhile is chosen no longer.
  const isThere =
    agents.some(({ id }) => chosen === `agent:${id}`) ||
    departments.some(({ department_id }) => chosen === `department:${department_id}`);

  async function onSubmit(event: FormEvent) {
    event.preventDefault();
    if (chosen === null || !isThere || asking || over > 0) return;
    const [who = "", whose = ""] = chosen.split(/:(.*)/s);
    setAsking(true);
    const failed = await invite(
      conversationId,
      who === "agent"
        ? { kind: "agent", agent_id: whose }
        : { kind: "department", department_id: whose },
      kind,
      note.trim(),
    );
    setAsking(false);
    setProblem(failed);
    if (failed === null) onClose();
  }

  const name = visitorName(t, head.visitor);
  return (
    <Dialog
      wide
      title={t(kind === "transfer" ? "transfer.transfer_title" : "transfer.invite_title", { name })}
      closeLabel={t("common.close")}
      onClose={onClose}
    >
      <form className={styles.form} onSubmit={onSubmit} data-testid="invite-dialog">
        <Kinds kind={kind} onChoose={setKind} />
        <p className={styles.means}>{t(`transfer.kind_${kind}_means`)}</p>
        {floor === null ? (
          <Rows label={t("transfer.loading")} />
        ) : (
          <Whom
            agents={agents}
            departments={departments}
            chosen={isThere ? chosen : null}
            onChoose={setChosen}
          />
        )}
        <label className={styles.note} htmlFor={`${id}-note`}>
          {t("transfer.note")}
          <textarea
            id={`${id}-note`}
            value={note}
            dir="auto"
            rows={2}
            data-testid="invite-note"
            aria-invalid={over > 0}
            placeholder={t("transfer.note_placeholder")}
            onChange={(event) => setNote(event.target.value)}
          />
        </label>
        <div role="alert" className={styles.alert}>
          {over > 0 && <Note tone="danger">{t("transfer.note_long", { count: over })}</Note>}
          {problem !== null && (
            <Note tone="danger" testId="invite-problem">
              {refusalText(t, problem)}
            </Note>
          )}
        </div>
        <DialogActions>
          <Button onClick={onClose}>{t("common.cancel")}</Button>
          <Button
            type="primary"
            htmlType="submit"
            disabled={!isThere || over > 0}
            loading={asking}
            data-testid="invite-submit"
          >
            {t(`transfer.send_${kind}`)}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

/** Two codes mean something of their own here. */
function refusalText(t: Translate, problem: Problem): string {
  if (problem.code === "already_exists") return t("transfer.already");
  return problem.code === "invalid" ? t("transfer.too_many") : problemText(t, problem);
}

interface KindsProps {
  kind: InvitationKind;
  onChoose: (kind: InvitationKind) => void;
}

function Kinds({ kind, onChoose }: KindsProps) {
  const t = useT();
  const group = useId();
  return (
    <div className={styles.kinds} role="radiogroup" aria-label={t("transfer.kind")}>
      {KINDS.map((one) => (
        <label
          key={one}
          className={one === kind ? styles.on : undefined}
          data-testid={`invite-kind-${one}`}
        >
          <input
            type="radio"
            className="visually-hidden"
            name={group}
            checked={one === kind}
            onChange={() => onChoose(one)}
          />
          {t(`transfer.kind_${one}`)}
        </label>
      ))}
    </div>
  );
}

interface WhomProps {
  agents: readonly AgentChoice[];
  departments: readonly FloorDepartment[];
  chosen: string | null;
  onChoose: (value: string) => void;
}

function Whom({ agents: all, departments: open, chosen, onChoose }: WhomProps) {
  const t = useT();
  const group = useId();
  const nameOf = useDepartmentName();
  const [typed, setTyped] = useState("");
  // Who is chosen stays in sight, whatever is searched for.
  const agents = all.filter(({ id, name }) => chosen === `agent:${id}` || matches(name, typed));
  const departments = open.filter(
    ({ department_id: id }) => chosen === `department:${id}` || matches(nameOf(id), typed),
  );
  return (
    <>
      <Search count={all.length} typed={typed} onType={setTyped} />
      <div className={styles.list} role="radiogroup" aria-label={t("transfer.colleagues")}>
        {departments.length > 0 && <p className={styles.group}>{t("transfer.departments")}</p>}
        {departments.map((one) => (
          <Option
            key={one.department_id}
            group={group}
            value={`department:${one.department_id}`}
            name={nameOf(one.department_id)}
            detail=""
            figure={
              <span className={styles.figure}>
                {t("transfer.department_free", { count: one.free })}
              </span>
            }
            chosen={chosen === `department:${one.department_id}`}
            testId="invite-option"
            onChoose={onChoose}
          />
        ))}
        {departments.length > 0 && agents.length > 0 && (
          <p className={styles.group}>{t("transfer.colleagues")}</p>
        )}
        {agents.map((agent) => (
          <Colleague
            key={agent.id}
            group={group}
            value={`agent:${agent.id}`}
            agent={agent}
            chosen={chosen === `agent:${agent.id}`}
            testId="invite-option"
            onChoose={onChoose}
          />
        ))}
        {agents.length === 0 && departments.length === 0 && (
          <p className={styles.none}>
            {t(typed.trim() === "" ? "transfer.nobody" : "queue.no_match")}
          </p>
        )}
      </div>
    </>
  );
}
