// 管理中心: everything an admin sets.

import { ManageCentre } from "../features/manage/ManageCentre";

export default function ManageView() {
  return <ManageCentre />;
}
