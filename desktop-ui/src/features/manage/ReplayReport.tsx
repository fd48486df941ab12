// What came of a replay: what happened, the settings of now and those tried, side by side.

import type { ReplayAnswer } from "../../../../shared/bindings/ReplayAnswer";
import type { ReplayFigures } from "../../../../shared/bindings/ReplayFigures";
import type { WaitFigures } from "../../../../shared/bindings/WaitFigures";
import { type TextKey, useT } from "../../i18n";
import { clock } from "../../i18n/format";
import { join } from "../../ui/join";
import styles from "./Replay.module.css";
import { changeOf, difference, heightOf, topOf } from "./replay";
import tables from "./Tables.module.css";
import { useNames } from "./useNames";

const WAYS = ["before", "as_now", "after"] as const;
type Way = (typeof WAYS)[number];

const count = (of: number) => String(of);

/** Figures of the whole; for those with a sign, less is better. */
const LINES: readonly { of: keyof WaitFigures; show: (of: number) => string; judged: boolean }[] = [
  { of: "came", show: count, judged: false },
  { of: "served", show: count, judged: false },
  { of: "missed", show: count, judged: true },
  { of: "wait_mean_ms", show: clock, judged: true },
  { of: "wait_p50_ms", show: clock, judged: true },
  { of: "wait_p95_ms", show: clock, judged: true },
  { of: "wait_max_ms", show: clock, judged: true },
  { of: "answer_mean_ms", show: clock, judged: true },
  { of: "moved", show: count, judged: true },
];

interface ReplayReportProps {
  answer: ReplayAnswer;
  /** Whether the settings tried are others than those of now. */
  tried: boolean;
}

export function ReplayReport({ answer, tried }: ReplayReportProps) {
  const t = useT();
  return (
    <section className={styles.report} aria-label={t("replay.report")} data-testid="replay-report">
      <div className={styles.answer}>
        <p data-testid="replay-answer">
          {tried ? <Answer answer={answer} /> : t("replay.answer_none")}
        </p>
        <Bounds />
      </div>
      <Whole answer={answer} />
      <Legend />
      <div className={styles.charts}>
        <Chart
          title={t("replay.chart_wait")}
          answer={answer}
          figureOf={(hour) => hour.wait_mean_ms}
          show={clock}
        />
        <Chart
          title={t("replay.chart_missed")}
          answer={answer}
          figureOf={(hour) => hour.missed}
          show={count}
        />
      </div>
      <Departments answer={answer} />
      <Agents answer={answer} />
    </section>
  );
}

/** The whole in one sentence. */
function Answer({ answer }: { answer: ReplayAnswer }) {
  const t = useT();
  const [now, then] = [answer.as_now.all, answer.after.all];
  const change = (before: number, after: number, show: (of: number) => string) => {
    if (before === after) return t("replay.answer_equal");
    const by = show(Math.abs(after - before));
    return t(after < before ? "replay.answer_less" : "replay.answer_more", { by });
  };
  return t("replay.answer", {
    wait: clock(then.wait_mean_ms),
    wait_change: change(now.wait_mean_ms, then.wait_mean_ms, clock),
    missed: then.missed,
    missed_change: change(now.missed, then.missed, count),
  });
}

const BOUNDS = ["answers", "talks", "visitors", "hands", "people"] as const;

/** What is taken from the day and what is assumed: nobody takes the figures for more than they are. */
export function Bounds() {
  const t = useT();
  return (
    <div className={styles.bounds} data-testid="replay-bounds">
      <p>{t("replay.bounds")}</p>
      <ul>
        {BOUNDS.map((bound) => (
          <li key={bound}>{t(`replay.bound_${bound}`)}</li>
        ))}
      </ul>
    </div>
  );
}

function Heads({ first, more = false }: { first: TextKey; more?: boolean }) {
  const t = useT();
  return (
    <thead>
      <tr>
        <th scope="col">{t(first)}</th>
        {WAYS.map((way) => (
          <th key={way} scope="col" className={tables.end}>
            {t(`replay.way_${way}`)}
          </th>
        ))}
        {more && (
          <th scope="col" className={tables.end}>
            {t("replay.difference")}
          </th>
        )}
      </tr>
    </thead>
  );
}

function Whole({ answer }: { answer: ReplayAnswer }) {
  const t = useT();
  return (
    <table className={tables.table} data-testid="replay-whole">
      <Heads first="replay.figure" more />
      <tbody>
        {LINES.map(({ of, show, judged }) => {
          const [now, then] = [answer.as_now.all[of], answer.after.all[of]];
          return (
            <tr key={of} data-testid={`replay-${of}`}>
              <td>{t(`replay.figure_${of}`)}</td>
              {WAYS.map((way) => (
                <td key={way} className={tables.end}>
                  {show(answer[way].all[of])}
                </td>
              ))}
              <td className={join(tables.end, judged && styles[changeOf(now, then)])}>
                {difference(now, then, show)}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function Departments({ answer }: { answer: ReplayAnswer }) {
  const t = useT();
  const names = useNames();
  const shown = (of: WaitFigures | undefined) =>
    of === undefined
      ? "–"
      : t("replay.department_figures", {
          came: of.came,
          missed: of.missed,
          wait: clock(of.wait_mean_ms),
        });
  return (
    <table className={tables.table} data-testid="replay-departments">
      <Heads first="replay.department" />
      <tbody>
        {idsOf(answer, (figures) => figures.departments).map((id) => (
          <tr key={id}>
            <td>{names.department(id)}</td>
            {WAYS.map((way) => (
              <td key={way} className={tables.end}>
                {shown(answer[way].departments[id])}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Agents({ answer }: { answer: ReplayAnswer }) {
  const t = useT();
  const names = useNames();
  return (
    <table className={tables.table} data-testid="replay-agents">
      <Heads first="replay.agent" />
      <tbody>
        {idsOf(answer, (figures) => figures.agents).map((id) => (
          <tr key={id}>
            <td>{names.agent(id)}</td>
            {WAYS.map((way) => {
              const { served = 0, at_once = 0 } = answer[way].agents[id] ?? {};
              return (
                <td key={way} className={tables.end}>
                  {t("replay.agent_figures", { served, at_once })}
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Everything that is named in any of the three, by id. */
function idsOf(answer: ReplayAnswer, of: (figures: ReplayFigures) => object): string[] {
  return [...new Set(WAYS.flatMap((way) => Object.keys(of(answer[way]))))].sort();
}

function Legend() {
  const t = useT();
  return (
    <ul className={styles.legend}>
      {WAYS.map((way) => (
        <li key={way}>
          <span className={join(styles.swatch, styles[way])} aria-hidden="true" />
          {t(`replay.way_${way}`)}
        </li>
      ))}
    </ul>
  );
}

const WIDTH = 480;
const HEIGHT = 120;
const LEFT = 36;
const HOUR = (WIDTH - LEFT) / 24;
const BAR = HOUR / 4;

interface ChartProps {
  title: string;
  answer: ReplayAnswer;
  figureOf: (hour: ReplayFigures["hours"][number]) => number;
  show: (of: number) => string;
}

/** Three bars an hour. The same figures stand in the tables; each bar says its own. */
function Chart({ title, answer, figureOf, show }: ChartProps) {
  const t = useT();
  const series = WAYS.map((way) => answer[way].hours.map(figureOf));
  const top = topOf(series);
  return (
    <figure className={styles.chart}>
      <figcaption>{title}</figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT + 26}`} role="img" aria-label={title}>
        <text x={LEFT - 6} y={12} textAnchor="end">
          {show(top)}
        </text>
        <line className={styles.axis} x1={LEFT} x2={WIDTH} y1={HEIGHT + 8} y2={HEIGHT + 8} />
        {WAYS.map((way: Way, nth) =>
          (series[nth] ?? []).map((value, hour) => {
            const height = heightOf(value, top, HEIGHT);
            return (
              <rect
                // biome-ignore lint/suspicious/noArrayIndexKey: an hour is its place in the day
                key={`${way}-${hour}`}
                className={styles[way]}
                x={LEFT + hour * HOUR + BAR * (nth + 0.5)}
                y={HEIGHT + 8 - height}
                width={BAR}
                height={height}
              >
                <title>
                  {t("replay.bar", { hour, way: t(`replay.way_${way}`), value: show(value) })}
                </title>
              </rect>
            );
          }),
        )}
        {[0, 6, 12, 18].map((hour) => (
          <text key={hour} x={LEFT + hour * HOUR} y={HEIGHT + 22}>
            {hour}:00
          </text>
        ))}
      </svg>
    </figure>
  );
}
