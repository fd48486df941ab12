// Line icons, 2 px strokes with round ends, and the pine mark. Decoration: their meaning is always
// also in words.

function Line(props: { path: string; size?: number }) {
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
export const CrossIcon = () => <Line path="M6 6l12 12M18 6L6 18" />;
export const CheckIcon = () => <Line path="M5 12.5l4.5 4.5L19 7.5" size={18} />;
export const MailIcon = () => <Line path="M3 6h18v12H3zl9 7 9-7" size={18} />;
export const AlertIcon = () => (
  <Line
    path="M12 8v5m0 3.5v.01M10.3 3.9 2.4 17.6A2 2 0 0 0 4.1 20.6h15.8a2 2 0 0 0 1.7-3L13.7 3.9a2 2 0 0 0-3.4 0z"
    size={14}
  />
);
export const EyeIcon = () => (
  <Line
    path="M2 12s3.6-6.5 10-6.5S22 12 22 12s-3.6 6.5-10 6.5S2 12 2 12m13 0a3 3 0 1 1-6 0 3 3 0 0 1 6 0"
    size={14}
  />
);
export const GlobeIcon = () => (
  <Line
    path="M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0M3.5 12h17M12 3c2.5 2.6 3.8 5.6 3.8 9s-1.3 6.4-3.8 9c-2.5-2.6-3.8-5.6-3.8-9S9.5 5.6 12 3"
    size={18}
  />
);
export const BellIcon = () => (
  <Line path="M6 9a6 6 0 0 1 12 0c0 6 2.5 7 2.5 7h-17S6 15 6 9m4.3 11a2 2 0 0 0 3.4 0" size={18} />
);
export const EndIcon = () => (
  <Line path="M9 21H5a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2h4m7 14 5-5-5-5m5 5H9" size={18} />
);

/** The pine that greets visitors, in the colour of the text around it. */
export function Pine(props: { size: number }) {
  return (
    <svg width={props.size} height={props.size} viewBox="0 0 32 32" aria-hidden="true">
      <path
        fill="currentColor"
        d="M10.1 9.9c-.75 0-1.2-.5-1.2-1.2 0-1.25 1.05-2.15 2.5-2.3.75-1.75 2.5-2.9 4.6-2.9 1.95 0 3.6 1 4.4 2.5 1.75.15 3 1.15 3 2.5 0 .85-.5 1.4-1.35 1.4zM3.3 17c-.85 0-1.35-.5-1.35-1.25 0-1.35 1.2-2.35 2.8-2.45.75-1.15 2-1.8 3.55-1.8 1.75 0 3.2.85 3.85 2.2 1.05.2 1.75.95 1.75 1.95 0 .85-.5 1.35-1.35 1.35zm15.9 2.6c-.8 0-1.3-.5-1.3-1.2 0-1.1.9-1.95 2.1-2.15.65-1.35 1.95-2.15 3.6-2.15 1.75 0 3.1.9 3.7 2.3 1.35.2 2.25 1 2.25 2.05 0 .75-.5 1.15-1.25 1.15z"
      />
      <path
        fill="none"
        stroke="currentColor"
        stroke-width="2.1"
        stroke-linecap="round"
        stroke-linejoin="round"
        d="M16.3 9.6c-.9 3.6-.2 6 .5 8.6.6 2.3.9 5.2-.6 9M9.4 16.9c2.6.3 5.2 1.2 7.2 3m6-.4c-1.6 1.2-3.4 2-5.2 2.6M9.5 27.9h13.4"
      />
    </svg>
  );
}
