// 客服监控: the floor as managers see it.

import { FloorBoard } from "../features/floor/FloorBoard";

export default function FloorView() {
  return <FloorBoard />;
}
