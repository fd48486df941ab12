// Assigning by hand (B09): any colleague who is online, those of the same department first. Somebody
// who is full is chosen a second time; a visitor somebody else took meanwhile is said plainly.

import { Button } from "antd";
import { type FormEvent, useId, useState } from "react";
import type { Floor } from "../../../../shared/bindings/Floor";
import type { FloorWaiting } from "../../../../shared/bindings/FloorWaiting";
import { useT } from "../../i18n";
import { problemText } from "../../i18n/words";
import { useFloor, useFloorWatch } from "../../stores/floor";
import { confirm } from "../../stores/notices";
import { useAgentName, usePeople } from "../../stores/people";
import type { Problem } from "../../stores/problem";
import { assign } from "../../stores/queue";
import { useOwn } from "../../stores/session";
import { Dialog, DialogActions } from "../../ui/Dialog";
import { Note } from "../../ui/Note";
import { Rows } from "../../ui/Rows";
import { Colleague, Search } from "../transfer/Colleague";
import { type AgentChoice, agentChoices, matches } from "../transfer/choices";
import styles from "../transfer/Picker.module.css";

interface AssignDialogProps {
  row: FloorWaiting;
  onClose: () => void;
}

export default function AssignDialog({ row, onClose }: AssignDialogProps) {
  const t = useT();
  useFloorWatch();
  const floor = useFloor((state) => state.floor);
  const people = usePeople();
  const nameOf = useAgentName();
  const ownId = useOwn()?.id ?? "";
  const [chosen, setChosen] = useState<string | null>(null);
  const [full, setFull] = useState<string | null>(null);
  const [asking, setAsking] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);

  const agents = floor === null ? [] : agentChoices(floor, people, [ownId]);
  const agent = agents.find((one) => one.id === chosen);
  const confirming = full !== null && full === chosen;
  const overtaken = problem?.code === "overtaken" || problem?.code === "not_found";

  function choose(id: string) {
    setChosen(id);
    setFull(null);
    setProblem(null);
  }

  async function onSubmit(event: FormEvent) {
    event.preventDefault();
    if (agent === undefined || asking || overtaken) return;
    if (agent.full && !confirming) {
      setFull(agent.id);
      return;
    }
    setAsking(true);
    const failed = await assign(row.conversation_id, agent.id, confirming);
    setAsking(false);
    if (failed?.code === "agent_full") {
      // Full since the last frame of the floor: ask as if it had been known.
      setFull(agent.id);
      return;
    }
    setProblem(failed);
    if (failed !== null) return;
    confirm("queue.assigned", { name: nameOf(agent.id) });
    onClose();
  }

  const name = t("common.visitor_name", { label: row.label });
  return (
    <Dialog
      wide
      title={t("queue.assign_to", { name })}
      closeLabel={t("common.close")}
      onClose={onClose}
    >
      <form className={styles.form} onSubmit={onSubmit} data-testid="assign-dialog">
        {floor === null ? (
          <Rows label={t("transfer.loading")} />
        ) : (
          <Whom
            floor={floor}
            agents={agents}
            departmentId={row.department_id}
            chosen={chosen}
            onChoose={choose}
          />
        )}
        <div role="alert" className={styles.alert}>
          {confirming && problem === null && agent !== undefined && (
            <Note tone="warn" testId="assign-full">
              {t("queue.full_ask", {
                name: agent.name,
                running: agent.running,
                capacity: agent.capacity,
              })}
            </Note>
          )}
          {problem !== null && (
            <Note tone="danger" testId="assign-problem">
              {overtaken ? t("queue.overtaken") : problemText(t, problem)}
            </Note>
          )}
        </div>
        <DialogActions>
          <Button onClick={onClose}>{t(overtaken ? "common.close" : "common.cancel")}</Button>
          {!overtaken && (
            <Button
              type="primary"
              htmlType="submit"
              disabled={agent === undefined}
              loading={asking}
              data-testid="assign-submit"
            >
              {t(confirming ? "queue.assign_anyway" : "queue.assign")}
            </Button>
          )}
        </DialogActions>
      </form>
    </Dialog>
  );
}

interface WhomProps {
  floor: Floor;
  agents: readonly AgentChoice[];
  departmentId: string;
  chosen: string | null;
  onChoose: (id: string) => void;
}

function Whom({ floor, agents, departmentId, chosen, onChoose }: WhomProps) {
  const t = useT();
  const group = useId();
  const [typed, setTyped] = useState("");
  // Who is chosen stays in sight, whatever is searched for.
  const shown = agents.filter((agent) => agent.id === chosen || matches(agent.name, typed));
  const near = shown.filter((agent) => agent.departments.includes(departmentId));
  const far = shown.filter((agent) => !agent.departments.includes(departmentId));
  const titled = floor.departments.length > 1;
  const option = (agent: AgentChoice) => (
    <Colleague
      key={agent.id}
      group={group}
      value={agent.id}
      agent={agent}
      mark={agent.full && <span className={styles.figure}>{t("queue.full")}</span>}
      chosen={agent.id === chosen}
      testId="assign-option"
      onChoose={onChoose}
    />
  );
  if (agents.length === 0) {
    return (
      <p className={styles.none}>
        {t("queue.nobody")}
        <br />
        {t("queue.nobody_text")}
      </p>
    );
  }
  return (
    <>
      <Search count={agents.length} typed={typed} onType={setTyped} />
      <div className={styles.list} role="radiogroup" aria-label={t("transfer.colleagues")}>
        {titled && near.length > 0 && <p className={styles.group}>{t("queue.own_department")}</p>}
        {near.map(option)}
        {titled && far.length > 0 && <p className={styles.group}>{t("queue.other_departments")}</p>}
        {far.map(option)}
        {shown.length === 0 && <p className={styles.none}>{t("queue.no_match")}</p>}
      </div>
    </>
  );
}
