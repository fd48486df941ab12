// The icons of what is fetched later (see later.tsx).

import { Line } from "./icons";

export const CrossIcon = () => <Line path="M6 6l12 12M18 6L6 18" />;
export const CheckIcon = () => <Line path="M5 12.5l4.5 4.5L19 7.5" size={18} />;
export const MailIcon = () => <Line path="M3 6h18v12H3zl9 7 9-7" size={18} />;
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
export const AlertIcon = () => (
  <Line
    path="M12 8v5m0 3.5v.01M10.3 3.9 2.4 17.6A2 2 0 0 0 4.1 20.6h15.8a2 2 0 0 0 1.7-3L13.7 3.9a2 2 0 0 0-3.4 0z"
    size={14}
  />
);
