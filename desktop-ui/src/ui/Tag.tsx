// A short word beside a name.

import { join } from "./join";
import styles from "./Tag.module.css";

interface TagProps {
  tone?: "plain" | "vip" | "warn";
  children: string;
}

export function Tag({ tone = "plain", children }: TagProps) {
  return <span className={join(styles.tag, styles[tone])}>{children}</span>;
}
