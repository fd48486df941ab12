// Only in a browser: the client on this computer that holds everything is not reachable. Nothing
// on screen can be changed until it is back, so this stands above everything.

import { LoaderCircle, Unplug } from "lucide-react";
import { useT } from "../../i18n";
import { useConnection } from "../../stores/connection";
import styles from "./HostBanner.module.css";

export function HostBanner() {
  const t = useT();
  const host = useConnection((state) => state.host);
  if (host !== "lost" && host !== "refused") return null;
  return (
    <div className={styles.banner} role="alert" data-testid="host-banner">
      {host === "lost" ? (
        <LoaderCircle size={16} className={styles.turning} aria-hidden="true" />
      ) : (
        <Unplug size={16} aria-hidden="true" />
      )}
      {t(host === "lost" ? "workbench.host_lost" : "workbench.host_refused")}
    </div>
  );
}
