// The mark: the pine that greets visitors, in the colour of the text around it.

interface MarkProps {
  size: number;
}

export function Mark({ size }: MarkProps) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <g fill="currentColor">
        <path d="M10.1 9.9c-.75 0-1.2-.5-1.2-1.2 0-1.25 1.05-2.15 2.5-2.3.75-1.75 2.5-2.9 4.6-2.9 1.95 0 3.6 1 4.4 2.5 1.75.15 3 1.15 3 2.5 0 .85-.5 1.4-1.35 1.4z" />
        <path d="M3.3 17c-.85 0-1.35-.5-1.35-1.25 0-1.35 1.2-2.35 2.8-2.45.75-1.15 2-1.8 3.55-1.8 1.75 0 3.2.85 3.85 2.2 1.05.2 1.75.95 1.75 1.95 0 .85-.5 1.35-1.35 1.35z" />
        <path d="M19.2 19.6c-.8 0-1.3-.5-1.3-1.2 0-1.1.9-1.95 2.1-2.15.65-1.35 1.95-2.15 3.6-2.15 1.75 0 3.1.9 3.7 2.3 1.35.2 2.25 1 2.25 2.05 0 .75-.5 1.15-1.25 1.15z" />
      </g>
      <g
        fill="none"
        stroke="currentColor"
        strokeWidth="2.1"
        strokeLinecap="round"
        strokeLinejoin="round"
      >
        <path d="M16.3 9.6c-.9 3.6-.2 6 .5 8.6.6 2.3.9 5.2-.6 9" />
        <path d="M9.4 16.9c2.6.3 5.2 1.2 7.2 3" />
        <path d="M22.6 19.5c-1.6 1.2-3.4 2-5.2 2.6" />
        <path d="M9.5 27.9h13.4" />
      </g>
    </svg>
  );
}
