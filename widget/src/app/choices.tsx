// What the visitor picks before the first message (A24, A25): quiet chips, or a list where there are
// many. Only the category is ever needed.

import type { ChatState } from "./client";
import { useTools } from "./context";
import type { VisitorAsks } from "./protocol";

/** More than these stand in a list. */
const CHIPS_MAX = 8;

interface Option {
  id: string;
  name: string;
}

interface GroupProps {
  kind: string;
  title: string;
  options: Option[];
  chosen: string | null;
  /** Nothing need be picked. */
  is_free: boolean;
  onPick: (id: string | null) => void;
}

function Group(props: GroupProps) {
  const { t } = useTools();
  const { kind, options, chosen, onPick } = props;
  if (options.length === 0) return null;
  const is_long = options.length > CHIPS_MAX;
  const title = `pick-${kind}`;
  return (
    <fieldset class="pick" data-testid={title} aria-labelledby={title}>
      <p id={title}>{props.title}</p>
      {is_long ? (
        <select
          aria-labelledby={title}
          value={chosen ?? ""}
          onChange={(event) => onPick(event.currentTarget.value || null)}
        >
          <option value="">{props.is_free ? t("pick_any") : "…"}</option>
          {options.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      ) : (
        options.map(({ id, name }) => (
          <button
            key={id}
            type="button"
            class="chip"
            data-testid={`${title}-option`}
            data-value={id}
            aria-pressed={chosen === id}
            onClick={() => onPick(chosen === id ? null : id)}
          >
            {name}
          </button>
        ))
      )}
    </fieldset>
  );
}

export function Choices(props: { state: ChatState }) {
  const { t, client } = useTools();
  const { held, asks } = props.state;
  if (held === null) return null;
  const { categories, departments, agents } = held.site;
  const pick = (change: Partial<VisitorAsks>) => client.pick({ ...asks, ...change });
  return (
    <section class="card picks" data-testid="choices">
      <Group
        kind="category"
        title={t("pick_category")}
        options={categories.map((name) => ({ id: name, name }))}
        chosen={asks.category}
        is_free={false}
        onPick={(category) => pick({ category: category ?? "" })}
      />
      <Group
        kind="department"
        title={t("pick_department")}
        options={departments.map(({ id, name }) => ({ id, name: name || t("department_default") }))}
        chosen={asks.department_id}
        is_free={true}
        onPick={(department_id) => pick({ department_id })}
      />
      <Group
        kind="agent"
        title={t("pick_agent")}
        options={agents.map(({ id, nickname }) => ({ id, name: nickname }))}
        chosen={asks.agent_id}
        is_free={true}
        onPick={(agent_id) => pick({ agent_id })}
      />
    </section>
  );
}
