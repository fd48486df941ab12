// The spans of one day: each from–to, one more, one less.

import { Plus, X } from "lucide-react";
import type { Span } from "../../../../shared/bindings/Span";
import { useT } from "../../i18n";
import { IconButton } from "../../ui/IconButton";
import { TimeField } from "../../ui/TimeField";
import styles from "./Hours.module.css";
import { replaced, without } from "./lists";
import { nextSpan, SPANS_MAX } from "./spans";

interface SpanListProps {
  /** The day's name. */
  day: string;
  spans: readonly Span[];
  wrong: boolean;
  name: string;
  /** What stands there when there is none. */
  none: string;
  onChange: (spans: Span[]) => void;
}

export function SpanList({ day, spans, wrong, name, none, onChange }: SpanListProps) {
  const t = useT();
  return (
    <div className={styles.spans}>
      {spans.length === 0 && <span className={styles.closed}>{none}</span>}
      {spans.map((span, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a span has no identity but its place
        <span key={at} className={styles.span}>
          <TimeField
            label={t("manage.span_from", { day })}
            minutes={span.from}
            wrong={wrong}
            name={`${name}-${at}-from`}
            onChange={(from) => onChange(replaced(spans, at, { ...span, from }))}
          />
          <span aria-hidden="true">–</span>
          <TimeField
            label={t("manage.span_to", { day })}
            minutes={span.to}
            wrong={wrong}
            name={`${name}-${at}-to`}
            onChange={(to) => onChange(replaced(spans, at, { ...span, to }))}
          />
          <IconButton
            label={t("manage.span_remove", { day })}
            data-testid={`${name}-${at}-remove`}
            onClick={() => onChange(without(spans, at))}
          >
            <X size={14} aria-hidden="true" />
          </IconButton>
        </span>
      ))}
      {spans.length < SPANS_MAX && (
        <IconButton
          label={t("manage.span_add", { day })}
          data-testid={`${name}-add`}
          onClick={() => onChange([...spans, nextSpan(spans)])}
        >
          <Plus size={15} aria-hidden="true" />
        </IconButton>
      )}
    </div>
  );
}
