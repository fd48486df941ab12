// When a department answers (X09): always, or a week of spans with holidays and working days made up
// for them, by the clock of a place.

import { Button, Input, Select, Switch } from "antd";
import { Plus } from "lucide-react";
import type { BusinessHours } from "../../../../shared/bindings/BusinessHours";
import { useLocale, useT } from "../../i18n";
import type { Problems } from "./checks";
import { zoneChoices } from "./choices";
import { Field } from "./Form";
import form from "./Form.module.css";
import styles from "./Hours.module.css";
import { weekday } from "./hoursText";
import { replaced, without } from "./lists";
import { MoveAway } from "./MoveAway";
import { SpanList } from "./SpanList";
import { SPECIAL_MAX, usualWeek } from "./spans";

interface HoursEditorProps {
  hours: BusinessHours | null;
  problems: Problems;
  onChange: (hours: BusinessHours | null) => void;
}

export function HoursEditor({ hours, problems, onChange }: HoursEditorProps) {
  const t = useT();
  return (
    <>
      <Field label={t("manage.hours_limited")}>
        {({ id }) => (
          <>
            <Switch
              id={id}
              checked={hours !== null}
              data-testid="hours-on"
              onChange={(on) => onChange(on ? { zone: "", week: usualWeek(), special: [] } : null)}
            />
            {hours === null && <span className={form.hint}>{t("manage.hours_always")}</span>}
          </>
        )}
      </Field>
      {hours !== null && <Open hours={hours} problems={problems} onChange={onChange} />}
    </>
  );
}

interface OpenProps {
  hours: BusinessHours;
  problems: Problems;
  onChange: (hours: BusinessHours) => void;
}

function Open({ hours, problems, onChange }: OpenProps) {
  const t = useT();
  const locale = useLocale();
  const first = hours.week[0] ?? [];
  return (
    <>
      <Field label={t("manage.week")} problem={problems.week} group>
        {() => (
          <div className={form.rows}>
            {hours.week.map((spans, day) => {
              const problem = problems[`week/${day}`];
              const name = weekday(locale, day, "long");
              return (
                // biome-ignore lint/suspicious/noArrayIndexKey: a day of the week is its place
                <div key={day}>
                  <div className={styles.day}>
                    <span className={styles.name}>{name}</span>
                    <SpanList
                      day={name}
                      spans={spans}
                      wrong={problem !== undefined}
                      name={`day-${day}`}
                      none={t("manage.day_closed")}
                      onChange={(to) => onChange({ ...hours, week: replaced(hours.week, day, to) })}
                    />
                  </div>
                  {problem !== undefined && (
                    <p className={form.error} role="alert">
                      {t(problem)}
                    </p>
                  )}
                </div>
              );
            })}
            <div>
              <Button
                size="small"
                data-testid="copy-monday"
                onClick={() =>
                  onChange({
                    ...hours,
                    week: hours.week.map((old, at) => (at < 5 ? first : old)),
                  })
                }
              >
                {t("manage.copy_to_workdays")}
              </Button>
            </div>
          </div>
        )}
      </Field>
      <Field label={t("manage.special")} hint={t("manage.special_hint")} group>
        {() => <Special hours={hours} problems={problems} onChange={onChange} />}
      </Field>
      <Field label={t("manage.zone")} problem={problems.zone}>
        {(described) => (
          <Select
            {...described}
            showSearch
            className={form.wide ?? ""}
            options={[{ value: "", label: t("manage.zone_company") }, ...zoneChoices(hours.zone)]}
            value={hours.zone}
            data-testid="department-zone"
            onChange={(zone) => onChange({ ...hours, zone })}
          />
        )}
      </Field>
    </>
  );
}

function Special({ hours, problems, onChange }: OpenProps) {
  const t = useT();
  const { special } = hours;
  const put = (to: BusinessHours["special"]) => onChange({ ...hours, special: to });
  return (
    <div className={form.rows}>
      {special.map((day, at) => {
        const problem = problems[`special/${at}`];
        const name = day.date === "" ? t("manage.special_day") : day.date;
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: a line has no identity but its place
          <div key={at}>
            <div className={styles.day}>
              <Input
                type="date"
                className={styles.date ?? ""}
                value={day.date}
                status={problem === undefined ? "" : "error"}
                aria-label={t("manage.special_day")}
                data-testid={`special-${at}-date`}
                onChange={({ target }) =>
                  put(replaced(special, at, { ...day, date: target.value }))
                }
              />
              <SpanList
                day={name}
                spans={day.spans}
                wrong={problem !== undefined}
                name={`special-${at}`}
                none={t("manage.holiday")}
                onChange={(spans) => put(replaced(special, at, { ...day, spans }))}
              />
              <MoveAway
                name={name}
                testId={`special-${at}-delete`}
                onRemove={() => put(without(special, at))}
              />
            </div>
            {problem !== undefined && (
              <p className={form.error} role="alert">
                {t(problem)}
              </p>
            )}
          </div>
        );
      })}
      {special.length < SPECIAL_MAX && (
        <div className={form.row}>
          <Button
            icon={<Plus size={15} aria-hidden="true" />}
            data-testid="holiday-add"
            onClick={() => put([...special, { date: "", spans: [] }])}
          >
            {t("manage.holiday_add")}
          </Button>
          <Button
            icon={<Plus size={15} aria-hidden="true" />}
            data-testid="workday-add"
            onClick={() => put([...special, { date: "", spans: [{ from: 540, to: 1_080 }] }])}
          >
            {t("manage.workday_add")}
          </Button>
        </div>
      )}
    </div>
  );
}
