// The line between two panes: dragged with the pointer, moved with the arrow keys, put back with a
// double click. It reports widths in pixels and keeps them inside their limits.

import { type KeyboardEvent, type PointerEvent, useRef, useState } from "react";
import { join } from "./join";
import styles from "./Splitter.module.css";

const STEP = 16;

interface SplitterProps {
  label: string;
  /** Width of the pane this line sizes. */
  width: number;
  min: number;
  max: number;
  /** Where a double click goes back to. */
  rest: number;
  /** Which side of the line that pane is on. */
  pane: "before" | "after";
  onChange: (width: number) => void;
}

export function Splitter({ label, width, min, max, rest, pane, onChange }: SplitterProps) {
  const from = useRef({ x: 0, width: 0 });
  const [dragging, setDragging] = useState(false);
  const sign = pane === "before" ? 1 : -1;
  const change = (to: number) => onChange(Math.round(Math.min(max, Math.max(min, to))));

  function onPointerDown(event: PointerEvent<HTMLHRElement>) {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    from.current = { x: event.clientX, width };
    setDragging(true);
  }

  function onPointerMove(event: PointerEvent<HTMLHRElement>) {
    if (dragging) change(from.current.width + sign * (event.clientX - from.current.x));
  }

  function onKeyDown(event: KeyboardEvent) {
    const to = {
      ArrowLeft: width - sign * STEP,
      ArrowRight: width + sign * STEP,
      Home: min,
      End: max,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    change(to);
  }

  return (
    <hr
      tabIndex={0}
      aria-orientation="vertical"
      aria-label={label}
      aria-valuenow={width}
      aria-valuemin={min}
      aria-valuemax={max}
      className={join(styles.splitter, dragging && styles.dragging)}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={() => setDragging(false)}
      onPointerCancel={() => setDragging(false)}
      onDoubleClick={() => change(rest)}
      onKeyDown={onKeyDown}
    />
  );
}
