// The face of an agent: the first character of the nickname on a colour of its own; of the company:
// the pine.

import { Pine } from "./icons";

export function Avatar(props: { name: string | null; is_online?: boolean }) {
  const initial = props.name === null ? null : [...props.name.trim()][0]?.toUpperCase();
  return (
    <span class="avatar" aria-hidden="true">
      {initial ?? <Pine size={20} />}
      {props.is_online && <i class="dot" />}
    </span>
  );
}
