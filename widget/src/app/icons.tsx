// Line icons, 2 px strokes with round ends, and the pine mark. Decoration: their meaning is always
// also in words.

import { MARK, MARK_FIELD, MARK_STROKE } from "../mark";

export function Line(props: { path: string; size?: number }) {
  const size = props.size ?? 20;
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true">
      <path d={props.path} />
    </svg>
  );
}

export const CloseIcon = () => <Line path="M6 9l6 6 6-6" size={22} />;
export const MoreIcon = () => <Line path="M5 12h.01M12 12h.01M19 12h.01" size={22} />;
export const SendIcon = () => <Line path="M12 19V5m-6 6l6-6 6 6" />;
export const DownIcon = () => <Line path="M12 5v14m6-6l-6 6-6-6" size={16} />;
export const ClockIcon = () => (
  <Line path="M12 7v5l3 2M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0" size={12} />
);
export const EyeIcon = () => (
  <Line
    path="M2 12s3.6-6.5 10-6.5S22 12 22 12s-3.6 6.5-10 6.5S2 12 2 12m13 0a3 3 0 1 1-6 0 3 3 0 0 1 6 0"
    size={14}
  />
);

/** The mark, in the colour of the text around it. */
export function Pine(props: { size: number }) {
  return (
    <svg width={props.size} height={props.size} viewBox={MARK_FIELD} aria-hidden="true">
      <path fill="currentColor" d={MARK[0]} />
      <path class="icon" stroke-width={MARK_STROKE} d={MARK[1]} />
    </svg>
  );
}
